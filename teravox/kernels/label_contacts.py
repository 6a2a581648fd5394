"""Which labels touch each other, and over how many faces of voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.slots import Pairs, Slots, find_pair_slot, make_pair_slots

Labels = NDArray[Any]  # x, y and z in Fortran order, unsigned whole numbers
Contacts = NDArray[np.void]  # of dtype CONTACT, sorted by label and other, each pair once
Vec = tuple[int, int, int]

CONTACT = np.dtype([("label", "<u8"), ("other", "<u8"), ("faces", "<u8", 3)])
"""A label, one that it touches, and how many faces of voxels lie between them across x, y and z."""

MERGING = 260  # bytes of a row while `merge` works


def count_contacts(voxels: Labels, owned: Vec, most: int) -> Contacts | None:
    """The contacts of an array, each pair in both orders; None if there are more than `most`.

    Counted are the faces of its first voxels, so many as are `owned` along each axis: those that follow them may belong
    to a neighbour, which counts its own. Label 0 touches nothing.
    """
    flat = read_only(voxels.reshape(-1, order="F"))
    room = 1 << (6 * owned[0]).bit_length()
    pairs, faces = np.empty((room, 2), np.uint64), np.zeros((room, 3), np.int64)
    at = used = 0
    while True:
        slots = make_pair_slots(pairs[:used], len(pairs))
        at, used = _count(flat, voxels.shape, owned, at, used, slots, pairs, faces)
        if 2 * used > most:
            return None
        if at == owned[1] * owned[2]:
            break
        pairs = np.concatenate([pairs, np.empty_like(pairs)])
        faces = np.concatenate([faces, np.zeros_like(faces)])
    contacts = np.empty(2 * used, CONTACT)
    for half, columns in ((contacts[:used], (0, 1)), (contacts[used:], (1, 0))):
        half["label"], half["other"] = (pairs[:used, column] for column in columns)
        half["faces"] = faces[:used]
    return merge(contacts)


def merge(contacts: Contacts) -> Contacts:
    """One row for each pair, of any number of rows in any order."""
    if not len(contacts):
        return contacts
    ordered = contacts[np.lexsort((contacts["other"], contacts["label"]))]
    labels, others = ordered["label"], ordered["other"]
    is_first = np.concatenate([[True], (labels[1:] != labels[:-1]) | (others[1:] != others[:-1])])
    first = np.flatnonzero(is_first)
    merged = ordered[first]
    merged["faces"] = np.add.reduceat(ordered["faces"], first, axis=0)
    return merged


def count_partners(contacts: Contacts, labels: NDArray[np.uint64]) -> NDArray[np.int32]:
    """How many other ones each of these labels touches."""
    low, high = (np.searchsorted(contacts["label"], labels, side) for side in ("left", "right"))
    return (high - low).astype(np.int32)


@compiled
def _note(
    one: np.uint64,
    other: np.uint64,
    axis: int,
    used: int,
    slots: Slots,
    pairs: Pairs,
    faces: NDArray[np.int64],
) -> int:
    """Count a face between two labels; how many pairs there are then."""
    first, second = min(one, other), max(one, other)
    slot = find_pair_slot(pairs, slots, first, second)
    if slots[slot] < 0:
        slots[slot] = used
        pairs[used, 0], pairs[used, 1] = first, second
        used += 1
    faces[slots[slot], axis] += 1
    return used


@compiled
def _count(
    flat: Labels,
    size: Vec,
    owned: Vec,
    at: int,
    used: int,
    slots: Slots,
    pairs: Pairs,
    faces: NDArray[np.int64],
) -> tuple[int, int]:
    """Count the faces of the rows from `at` on, until all are counted or a row might find no room.

    It returns where it stopped and how many pairs there are.
    """
    nx, ny, nz = size
    while at < owned[1] * owned[2]:
        if used + 3 * owned[0] > len(pairs):
            return at, used
        y, z = at % owned[1], at // owned[1]
        row = (z * ny + y) * nx
        for x in range(owned[0]):
            here = flat[row + x]
            if here == 0:
                continue
            if x + 1 < nx and flat[row + x + 1] != here and flat[row + x + 1] != 0:
                used = _note(here, flat[row + x + 1], 0, used, slots, pairs, faces)
            if y + 1 < ny and flat[row + nx + x] != here and flat[row + nx + x] != 0:
                used = _note(here, flat[row + nx + x], 1, used, slots, pairs, faces)
            if z + 1 < nz and flat[row + nx * ny + x] != here and flat[row + nx * ny + x] != 0:
                used = _note(here, flat[row + nx * ny + x], 2, used, slots, pairs, faces)
        at += 1
    return at, used
