"""Why two labels are one body, or are not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.stitching.decided import Decided, Met
from teravox.pipeline.stitching.labels import Label, id_of

if TYPE_CHECKING:
    from teravox.kernels.stitching.rule import Rule

Came = dict[Label, Label | None]  # by label of a body, from which one it was reached


class Explanation(msgspec.Struct, frozen=True):
    """What there is to say of two labels."""

    one: int
    other: int
    joined: bool
    between: tuple[Met, ...]  # where the two meet themselves
    path: tuple[Met, ...]  # joins that lead from the one to the other, if there are
    refused: tuple[Met, ...]  # where their bodies meet and were not joined, the largest overlaps first
    labels: tuple[int, int]  # how many the bodies have, as far as was looked: a path is not followed beyond its end


def explain(segmented: Segmented, rule: Rule, one: Label, other: Label) -> Explanation:
    """Follow the joins from one label until the other is found, or there are none left."""
    decided = Decided(segmented, rule)
    between = _meetings(decided, [one], [other])
    came = _reach(decided, one, other)
    path = tuple(_path(decided, came, other)) if other in came else ()
    refused: list[Met] = []
    theirs: Came = {}
    if other not in came:
        theirs = _reach(decided, other, None)
        refused = _meetings(decided, came, theirs)
    counts = (len(came), len(theirs) if theirs else len(came))
    ids = id_of(segmented, one), id_of(segmented, other)
    return Explanation(*ids, other in came, tuple(between), path, tuple(refused), counts)


def _reach(decided: Decided, start: Label, wanted: Label | None) -> Came:
    """The labels of a body by the shortest way to each, until the wanted one is found."""
    came: Came = {start: None}
    queue = deque([start])
    while queue and wanted not in came:
        label = queue.popleft()
        for partner in decided.partners(label):
            if partner not in came:
                came[partner] = label
                queue.append(partner)
    return came


def _path(decided: Decided, came: Came, end: Label) -> list[Met]:
    """The joins on the way to a label, the largest overlap of each."""
    path: list[Met] = []
    step: Label | None = end
    while step is not None and (before := came[step]) is not None:
        joins = [met for met in _meetings(decided, [before], [step]) if met.joined]
        path.append(joins[0])
        step = before
    return path[::-1]


def _meetings(decided: Decided, ones: Iterable[Label], others: Iterable[Label]) -> list[Met]:
    """Where labels of one set share voxels with those of another, the largest overlaps first."""
    import numpy as np

    near, far = sorted((_by_block(ones), _by_block(others)), key=len)
    found: list[Met] = []
    for block, locals in sorted(near.items()):
        for face in decided.faces(block):
            low, high = (units.labels[places] for units, places in face.sides)
            here, there, behind = (low, high, face.upper) if face.lower == block else (high, low, face.lower)
            fits = np.isin(here, locals) & np.isin(there, far.get(behind, []))
            found += [decided.met(face, int(pair)) for pair in np.flatnonzero(fits)]
    return sorted(found, key=lambda met: (-met.shared, met.low, met.high))


def _by_block(labels: Iterable[Label]) -> dict[int, list[int]]:
    blocks: dict[int, list[int]] = {}
    for label in labels:
        blocks.setdefault(label.block, []).append(label.local)
    return blocks
