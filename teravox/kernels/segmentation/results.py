"""What steps have returned: whether it keeps their contract, and the labels of a block numbered anew."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only

Array = NDArray[Any]  # of whatever a step returned
Labels = NDArray[np.uint32]
Mask = NDArray[np.bool_]


def fault_in_prediction(found: Any, shape: tuple[int, ...], channels: int) -> str:
    """What is wrong with a prediction, to follow "it returned"; nothing where it is as it should be."""
    fault = _fault_in_form(found, np.dtype(np.float32), (*shape, channels))
    if fault:
        is_deeper = (
            np.ndim(found) == len(shape) + 1 and np.shape(found)[:-1] == shape and np.shape(found)[-1] != channels
        )
        return f"{fault}: its attribute `channels` says how many it predicts" if is_deeper else fault
    lowest, highest = found.min(), found.max()  # NaN, where one value is
    if np.isnan(lowest):
        return "values that are no numbers (NaN)"
    if lowest < 0 or highest > 1:
        return f"values from {lowest:g} to {highest:g}, which must lie in 0 to 1"
    return ""


def fault_in_supervoxels(found: Any, shape: tuple[int, ...], mask: Mask | None) -> str:
    """What is wrong with supervoxels."""
    fault = _fault_in_form(found, np.dtype(np.uint32), shape)
    if fault or mask is None:
        return fault
    bleeding = _count_outside(_flat(found), _flat(mask))
    return f"labels in {bleeding:,} voxels outside the mask, where there must be 0" if bleeding else ""


def fault_in_bodies(found: Any, supervoxels: Labels) -> str:
    """What is wrong with agglomerated supervoxels."""
    fault = _fault_in_form(found, np.dtype(np.uint32), supervoxels.shape)
    if fault:
        return fault
    bleeding = _count_outside(_flat(found), _flat(supervoxels))
    if bleeding:
        return f"labels in {bleeding:,} voxels that belong to no supervoxel, where there must be 0"
    known = np.zeros(int(supervoxels.max(initial=0)) + 1, np.bool_)
    _mark(_flat(supervoxels), known)
    stranger = _find_stranger(_flat(found), known)
    return f"the label {stranger}, which is that of no supervoxel" if stranger else ""


def renumber(labels: Labels) -> tuple[Labels, int]:
    """Labels numbered 1, 2, 3 and so on without gaps, in their order, and how many there are."""
    highest = int(labels.max(initial=0))
    if highest > 4 * labels.size + 1024:  # few labels with large numbers
        values, places = np.unique(labels, return_inverse=True)
        numbers = np.arange(len(values), dtype=np.uint32) + np.uint32(values[0] != 0)
        return numbers[places].reshape(labels.shape), int(numbers[-1])
    known = np.zeros(highest + 1, np.bool_)
    _mark(_flat(labels), known)
    known[0] = False
    table = np.cumsum(known, dtype=np.uint32)
    number = int(table[-1])
    if number == highest:
        return labels, number
    renumbered = np.empty_like(labels, order="C")
    _look_up(_flat(labels), table, renumbered.reshape(-1))
    return renumbered, number


def paint_places(labels: Labels, number: int, places: Labels) -> NDArray[np.uint32]:
    """Put bodies into labels 1 to `number`, as labels above them; `places` are 1 and up, and 0 for none.

    The places that are there are returned, ascending: the first got the label `number` + 1.
    """
    highest = int(places.max(initial=0))
    known = np.zeros(highest + 1, np.bool_)
    _mark(_flat(places), known)
    known[0] = False
    table = np.cumsum(known, dtype=np.uint32) + np.uint32(number)
    _paint(labels.reshape(-1), _flat(places), table)
    return np.flatnonzero(known).astype(np.uint32)


def places_of(labels: Array, ids: NDArray[np.uint64]) -> Labels:
    """Where each voxel's label stands in an ascending list: 1 and up, 0 where it is not in it."""
    found = np.zeros(labels.shape, np.uint32, order="F")
    flat = labels.reshape(-1, order="F")
    _find_places(read_only(flat.astype(np.uint64)), read_only(ids), found.reshape(-1, order="F"))
    return found


def _fault_in_form(found: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    if not isinstance(found, np.ndarray):
        return f"{type(found).__name__}, and no array"
    if found.dtype != dtype:
        return f"numbers of type {found.dtype}, which must be {dtype}"
    if found.shape != shape:
        return f"an array of shape {found.shape}, which must be {shape}"
    return ""


def _flat(array: Array) -> Array:
    return read_only(np.ascontiguousarray(array)).reshape(-1)


@compiled
def _count_outside(labels: Labels, inside: Array) -> int:
    count = 0
    for at in range(len(labels)):
        count += labels[at] != 0 and inside[at] == 0
    return count


@compiled
def _mark(labels: Labels, known: Mask) -> None:
    for label in labels:
        known[label] = True


@compiled
def _find_stranger(labels: Labels, known: Mask) -> int:
    for label in labels:
        if label != 0 and (label >= len(known) or not known[label]):
            return int(label)
    return 0


@compiled
def _look_up(labels: Labels, table: Labels, found: Labels) -> None:
    for at in range(len(labels)):
        found[at] = table[labels[at]]


@compiled
def _paint(labels: Labels, places: Labels, table: Labels) -> None:
    for at in range(len(labels)):
        if places[at]:
            labels[at] = table[places[at]]


@compiled
def _find_places(labels: NDArray[np.uint64], ids: NDArray[np.uint64], found: Labels) -> None:
    last, place = np.uint64(0), 0  # of the voxel before, which mostly has the same
    for at in range(len(labels)):
        label = labels[at]
        if label != last:
            last = label
            place = np.searchsorted(ids, label)
            place = place + 1 if place < len(ids) and ids[place] == label else 0
        found[at] = place
