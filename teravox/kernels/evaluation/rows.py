"""Tables of pairs and of labels as rows of whole numbers, sorted by a key that spreads them evenly.

The first column is the key, the next ones name what the row is of, and the others are counts, which can be added up.
The rows of a label lie together, so a range of keys can be worked on without the others. A label that overlaps with
very many others does not lie in one range by all means: the lower bits of a pair's key are of its other label.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint64]  # of one row each
Labels = NDArray[np.uint64]


_LOW = np.uint64(24)  # bits of a pair's key that its second label has
OTHERS = (1 << 24) - 1  # those bits
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # of the generator splitmix64


def spread(labels: Labels) -> Labels:
    """A number for each label that any range of labels spreads over all numbers; no two labels have the same."""
    mixed = (labels ^ (labels >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def label_rows(labels: Labels, *counts: Labels) -> Rows:
    """Rows of labels, in any order."""
    return np.column_stack([spread(labels), labels, *counts])


def pair_rows(first: Labels, second: Labels, *counts: Labels) -> Rows:
    """Rows of pairs, in any order: those of one first label have keys that differ in their lowest bits only."""
    key = (spread(first) >> _LOW << _LOW) | (spread(second) >> (np.uint64(64) - _LOW))
    return np.column_stack([key, first, second, *counts])


def add_up(rows: Rows, names: int) -> Rows:
    """One row for each thing that the `names` columns behind the key name, sorted by key and then by name."""
    if len(rows) < 2:
        return rows
    order = np.argsort(rows[:, 0], kind="stable")
    key = rows[order, 0]
    if (key[1:] == key[:-1]).any():  # else they are all different, and sorted
        order = np.lexsort([rows[:, column] for column in range(names, -1, -1)])
    rows = rows[order]
    differ = np.zeros(len(rows) - 1, np.bool_)
    for column in range(names + 1):
        differ |= rows[1:, column] != rows[:-1, column]
    if differ.all():
        return rows
    first = np.flatnonzero(np.concatenate([[True], differ]))
    added = rows[first]
    for column in range(names + 1, rows.shape[1]):
        added[:, column] = np.add.reduceat(rows[:, column], first)
    return added
