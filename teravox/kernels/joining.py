"""Joins the components of neighbouring boxes, a group of boxes at a time.

A group keeps what touches none of its own faces, and passes the rest on: to the group of groups that it lies in. So no
step holds more than what lies on the faces of its parts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.unions import unite

Vec = tuple[int, int, int]
Names = NDArray[np.uint64]  # the number of a box, shifted up by 32 bits, and the number of one of its components
Flags = NDArray[np.bool_]
NO_NAME = np.uint64(2**64 - 1)  # of a component that does not count when the first of a class is sought


class Open(NamedTuple):
    """The components of a part of the volume that may go on beyond it, in classes of those that are joined."""

    names: Names  # of the boxes' components that touch a face of the part
    sides: NDArray[np.uint8]  # by name: which of its faces they touch, a bit for each side
    classes: NDArray[np.uint32]  # by name
    sizes: NDArray[np.uint64]  # by class: its voxels
    near: Names  # contacts across the faces: what lies in this part, ...
    far: Names  # ... and what it touches in another one
    firsts: Names | None = None  # by class, where that is asked for: the smallest name of its members that count


class Joined(NamedTuple):
    """What became of the classes of a group's parts."""

    open: Open  # what goes on beyond the group
    fate: NDArray[np.int64]  # by class of the parts: its label from 1 up, 0 for dust, or -1 - its class in `open`
    labels: int  # how many classes end here, without dust
    firsts: Names | None  # by label - 1: the smallest name of its members, where that is asked for


def name_components(box: int, number: int) -> Names:
    """The names of all components on the faces of a box."""
    return (np.uint64(box) << np.uint64(32)) | np.arange(1, number + 1, dtype=np.uint64)


def nothing() -> Open:
    """A part in which nothing goes on beyond it."""
    names = np.empty(0, np.uint64)
    return Open(names, names.astype(np.uint8), names.astype(np.uint32), names, names, names, names)


def concatenate(parts: list[Open]) -> Open:
    """Several parts as one, their classes numbered on."""
    starts = np.cumsum([0, *(len(part.sizes) for part in parts)])
    classes = [part.classes + np.uint32(start) for part, start in zip(parts, starts, strict=False)]
    names, sides, sizes, near, far = (
        np.concatenate([getattr(part, field) for part in parts]) for field in ("names", "sides", "sizes", "near", "far")
    )
    firsts = [part.firsts for part in parts if part.firsts is not None]
    whole = np.concatenate(firsts) if len(firsts) == len(parts) else None
    return Open(names, sides, np.concatenate(classes), sizes, near, far, whole)


def join(parts: Open, cells: Vec, low: Vec, high: Vec, dust: int) -> Joined:
    """Join what touches within a group: the boxes from `low` up to `high` in a grid of so many cells.

    Classes of fewer than `dust` voxels that end here are dropped. The order of the parts says which label is which.
    ValueError where the parts do not fit each other.
    """
    if parts.classes.max(initial=0) >= max(1, len(parts.sizes)):
        raise ValueError("a component is in a class that no part has")
    order = np.argsort(parts.names, kind="stable")
    inside = _are_within(parts.far, cells, low, high)
    near = _classes_of(parts, order, parts.near[inside])
    far = _classes_of(parts, order, parts.far[inside])
    number, groups = connect(near, far, len(parts.sizes))

    sides = parts.sides & _outer_sides(parts.names, cells, low, high)
    beyond = np.zeros(number, np.bool_)
    beyond[groups[parts.classes[sides != 0]]] = True
    sizes = np.zeros(number, np.uint64)
    np.add.at(sizes, groups, parts.sizes)

    firsts = None
    if parts.firsts is not None:
        firsts = np.full(number, NO_NAME)
        np.minimum.at(firsts, groups, parts.firsts)

    kept = ~beyond & (sizes >= np.uint64(dust))
    fate = np.zeros(number, np.int64)
    fate[kept] = np.arange(1, kept.sum() + 1)
    fate[beyond] = -1 - np.arange(beyond.sum())
    goes_on = sides != 0
    classes = -1 - fate[groups[parts.classes[goes_on]]]
    rest = Open(
        parts.names[goes_on],
        sides[goes_on],
        classes.astype(np.uint32),
        sizes[beyond],
        parts.near[~inside],
        parts.far[~inside],
        None if firsts is None else firsts[beyond],
    )
    return Joined(rest, fate[groups], int(kept.sum()), None if firsts is None else firsts[kept])


def hand_down(fate: NDArray[np.int64], before: int, given: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The final labels of classes, of which some end here and are numbered from `before` + 1 and others were given theirs."""
    ended = np.arange(1, fate.max(initial=0) + 1, dtype=np.uint64) + np.uint64(before)
    return hand_down_names(fate, ended, given)


def hand_down_names(fate: NDArray[np.int64], ended: Names, given: Names) -> Names:
    """What classes are called in the whole: those that end here by their label - 1, the others as they were given it."""
    names = np.zeros(len(fate), np.uint64)
    ends, open = fate > 0, fate < 0
    names[ends] = ended[fate[ends] - 1]
    names[open] = given[-1 - fate[open]]
    return names


@compiled
def connect(near: NDArray[np.uint32], far: NDArray[np.uint32], number: int) -> tuple[int, NDArray[np.int64]]:
    """The groups of classes that contacts join, in the order of their first classes."""
    first = np.arange(number)  # of each class, one before it that it is joined with, up to the first one of its group
    for contact in range(len(near)):
        unite(first, int(near[contact]), int(far[contact]))
    groups = 0
    for one in range(number):
        if first[one] == one:
            first[one] = groups
            groups += 1
        else:
            first[one] = first[first[one]]
    return groups, first


def _classes_of(parts: Open, order: NDArray[np.int64], names: Names) -> NDArray[np.uint32]:
    places = np.searchsorted(parts.names, names, sorter=order)
    found = order[np.minimum(places, len(order) - 1)] if len(order) else places
    if len(names) and not (len(order) and np.array_equal(parts.names[found], names)):
        raise ValueError("it touches components that no part has")
    return parts.classes[found]


def _cells(names: Names, cells: Vec) -> tuple[NDArray[np.uint64], ...]:
    """Where in the grid the boxes of components are."""
    box = names >> np.uint64(32)
    x, y = np.uint64(cells[0]), np.uint64(cells[1])
    return box % x, box // x % y, box // (x * y)


def _are_within(names: Names, cells: Vec, low: Vec, high: Vec) -> Flags:
    inside = np.ones(len(names), np.bool_)
    for place, start, stop in zip(_cells(names, cells), low, high, strict=True):
        inside &= (place >= np.uint64(start)) & (place < np.uint64(stop))
    return inside


def _outer_sides(names: Names, cells: Vec, low: Vec, high: Vec) -> NDArray[np.uint8]:
    """The faces of each component's box that are faces of the group too."""
    sides = np.zeros(len(names), np.uint8)
    for axis, place in enumerate(_cells(names, cells)):
        sides |= np.where(place == np.uint64(low[axis]), np.uint8(1 << 2 * axis), np.uint8(0))
        sides |= np.where(place == np.uint64(high[axis] - 1), np.uint8(2 << 2 * axis), np.uint8(0))
    return sides
