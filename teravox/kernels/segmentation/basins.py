"""Takes a map of heights apart into its hills: each voxel belongs to the top that one comes to by the steepest way up.

Where two hills meet, the lower one is part of the higher one unless its top stands high enough over the pass between them;
these are the maxima that h-maxima keep. Of two voxels of the same height the first one counts as higher, here as
everywhere. So a hill is the same in whichever box it is read, as long as all of it and what is beside it are there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.segmentation.checks import Labels
from teravox.kernels.slots import ROOM, add_key, find_slot, make_slots

Heights = NDArray[np.float32]  # z, y and x
Places = NDArray[np.int64]
Zyx = tuple[float, float, float]

_HALF = 13  # of the 26 voxels around one, those that come after it


def number_hills(heights: Heights, sides: Zyx, *, rise: float, share: float = 0.0, least: float = 0.0) -> Labels:
    """Number the hills of what is above 0, in the order of their tops; voxels that meet at a corner are beside each other.

    A top is one of its own if it stands `rise` over the highest pass to a higher one, and a `share` of its own height.
    Hills that are nowhere `least` high are 0.
    """
    size = heights.size
    if size >= 1 << 31:
        raise ValueError(f"a box of {heights.shape} has more than 2^31 voxels: use smaller blocks")
    labels = np.zeros(heights.shape, np.uint32)
    if size == 0:
        return labels
    heights = read_only(heights)
    ways, nearness = _around(sides)
    _climb(heights, ways, nearness, labels)
    tops = _number(labels.reshape(-1))
    peaks = heights.reshape(-1)[tops]
    keys, passes = _find_passes(heights, labels, ways)
    first, second = (keys >> np.uint64(32)).astype(np.int64) - 1, (keys & np.uint64(0xFFFFFFFF)).astype(np.int64) - 1
    order = np.lexsort((second, first, -passes))
    names = _merge(first[order], second[order], passes[order], peaks, np.float32(rise), np.float32(share))
    highest = np.zeros(len(peaks), np.float32)
    np.maximum.at(highest, names, peaks)
    kept = highest[names] >= np.float32(least)
    _, numbers = np.unique(names[kept], return_inverse=True)
    table = np.zeros(len(peaks) + 1, np.uint32)
    table[1:][kept] = numbers + 1
    _rename(labels.reshape(-1), table)
    return labels


def _around(sides: Zyx) -> tuple[Places, NDArray[np.float32]]:
    """The ways to the 26 voxels around one, in their order, and 1 over how far each is."""
    ways = np.array([(z, y, x) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1) if (z, y, x) != (0, 0, 0)])
    return ways, (1 / np.sqrt(((ways * sides) ** 2).sum(1))).astype(np.float32)


@compiled
def _climb(heights: Heights, ways: Places, nearness: NDArray[np.float32], found: Labels) -> None:
    """For each voxel 1 and the place of the top above it; 0 where the height is."""
    planes, rows, columns = heights.shape
    flat, up = heights.reshape(-1), found.reshape(-1)
    steps = (ways[:, 0] * rows + ways[:, 1]) * columns + ways[:, 2]
    for z in range(planes):
        for y in range(rows):
            is_rim = z == 0 or z == planes - 1 or y == 0 or y == rows - 1
            at = (z * rows + y) * columns
            for x in range(columns):
                here = at + x
                height = flat[here]
                if not height > 0:
                    continue
                best, way = here, np.float32(-1)
                check = is_rim or x == 0 or x == columns - 1
                for number in range(2 * _HALF):
                    if check:
                        nz, ny, nx = z + ways[number, 0], y + ways[number, 1], x + ways[number, 2]
                        if not (0 <= nz < planes and 0 <= ny < rows and 0 <= nx < columns):
                            continue
                    there = here + steps[number]
                    rise = flat[there] - height
                    if rise < 0 or (rise == 0 and number >= _HALF):
                        continue
                    slope = rise * nearness[number]
                    if slope > way or (slope == way and flat[there] > flat[best]):
                        best, way = there, slope
                up[here] = np.uint32(best + 1)
    for here in range(len(up)):
        if up[here] == 0:
            continue
        top = np.int64(up[here]) - 1
        while np.int64(up[top]) - 1 != top:
            top = np.int64(up[top]) - 1
        walker = np.int64(here)
        while np.int64(up[walker]) - 1 != top:
            after = np.int64(up[walker]) - 1
            up[walker] = np.uint32(top + 1)
            walker = after


@compiled
def _number(up: Labels) -> Places:
    """Number the tops from 1 in their order, in place; where they are."""
    count = 0
    for here in range(len(up)):
        count += np.int64(up[here]) - 1 == here
    tops = np.empty(count, np.int64)
    count = 0
    for here in range(len(up)):
        if np.int64(up[here]) - 1 == here:
            tops[count] = here
            count += 1
    for here in range(len(up)):
        if up[here] != 0:
            up[here] = np.uint32(np.searchsorted(tops, np.int64(up[here]) - 1) + 1)
    return tops


@compiled
def _find_passes(heights: Heights, hills: Labels, ways: Places) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """The pairs of hills that touch, as keys with the smaller number in the upper 32 bits, and the highest pass of each."""
    planes, rows, columns = heights.shape
    flat, levels = hills.reshape(-1), heights.reshape(-1)
    steps = (ways[:, 0] * rows + ways[:, 1]) * columns + ways[:, 2]
    keys, passes = np.empty(ROOM, np.uint64), np.zeros(ROOM, np.float32)
    slots = make_slots(keys[:0], ROOM)
    used = 0
    for z in range(planes):
        for y in range(rows):
            is_rim = z == planes - 1 or y == 0 or y == rows - 1
            at = (z * rows + y) * columns
            for x in range(columns):
                here = at + x
                hill = flat[here]
                if hill == 0:
                    continue
                check = is_rim or x == 0 or x == columns - 1
                if not (check or _meets_another(flat, here, steps)):
                    continue
                for number in range(_HALF, 2 * _HALF):
                    if check:
                        nz, ny, nx = z + ways[number, 0], y + ways[number, 1], x + ways[number, 2]
                        if not (nz < planes and 0 <= ny < rows and 0 <= nx < columns):
                            continue
                    there = here + steps[number]
                    other = flat[there]
                    if (other == hill) | (other == 0):
                        continue
                    key = np.uint64(min(hill, other)) << np.uint64(32) | np.uint64(max(hill, other))
                    place = slots[find_slot(keys, slots, key)]
                    if place < 0:
                        place = used
                        keys, slots = add_key(keys, slots, used, key)
                        if len(keys) > len(passes):
                            passes = np.concatenate((passes, np.zeros_like(passes)))
                        used += 1
                    passes[place] = max(passes[place], min(levels[here], levels[there]))
    return keys[:used], passes[:used]


@compiled
def _meets_another(hills: Labels, here: int, steps: Places) -> bool:
    """Whether a voxel that comes after one, beside it, belongs to another hill."""
    hill = hills[here]
    found = False
    for number in range(_HALF, 2 * _HALF):
        other = hills[here + steps[number]]
        found |= (other != hill) & (other != 0)
    return found


@compiled
def _root(above: Places, one: int) -> int:
    while above[one] != one:
        above[one] = above[above[one]]
        one = above[one]
    return one


@compiled
def _merge(
    first: Places,
    second: Places,
    passes: NDArray[np.float32],
    peaks: NDArray[np.float32],
    rise: np.float32,
    share: np.float32,
) -> Places:
    """For each hill the first of those that it is one with; the passes come from the highest down."""
    names, ground = np.arange(len(peaks)), np.arange(len(peaks))
    top = np.arange(len(peaks))  # by what is connected above the pass: its highest hill
    for at in range(len(passes)):
        one, other = _root(ground, first[at]), _root(ground, second[at])
        if one == other:
            continue
        high, low = top[one], top[other]
        if peaks[low] > peaks[high] or (peaks[low] == peaks[high] and low < high):
            high, low = low, high
        over = peaks[low] - passes[at]
        if over == 0 or over < max(rise, share * peaks[low]):
            a, b = _root(names, first[at]), _root(names, second[at])
            names[max(a, b)] = min(a, b)
        ground[max(one, other)] = min(one, other)
        top[min(one, other)] = high
    for one in range(len(names)):
        names[one] = _root(names, one)
    return names


@compiled
def _rename(labels: Labels, table: Labels) -> None:
    for at in range(len(labels)):
        labels[at] = table[labels[at]]
