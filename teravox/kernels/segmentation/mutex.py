"""Joins voxels by affinities, the strongest first, but never what an affinity still stronger keeps apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.prefetch import prefetch
from teravox.kernels.segmentation.checks import Labels, Mask, Prediction
from teravox.kernels.segmentation.pair_table import Keys, key_of, place_of, take_out
from teravox.kernels.unions import find

Offsets = NDArray[np.int64]  # by channel: along z, y and x
Groups = NDArray[np.int32]  # by voxel: one that it has been joined to, or itself
Ends = NDArray[np.int32]

_AHEAD = 16  # affinities
ONE = 65535  # the strength of 1.0


def mutex_segments(
    affinities: Prediction, mask: Mask | None, offsets: Offsets, attractive: int, strides: Offsets, min_size: int
) -> Labels:
    """Segments of at least a size, numbered from 1 in the order of their first voxels; the rest is 0.

    A channel joins a voxel with the one at its offset by its value, or from `attractive` on keeps them apart by 1 minus
    its value. What has no strength does nothing; of equal ones the first voxel's, and there the first channel's, count.
    """
    *box, channels = affinities.shape
    voxels = box[0] * box[1] * box[2]
    if voxels * channels >= 1 << 30:
        raise ValueError(f"a box of {box} with {channels} channels has more than 2^30 affinities: use smaller blocks")
    inside = np.ones(box, np.bool_) if mask is None else mask
    order, first = _sort(read_only(affinities), read_only(inside), offsets, attractive, strides)
    steps = (offsets[:, 0] * box[1] + offsets[:, 1]) * box[2] + offsets[:, 2]
    groups = _join(order[: first[-1]], steps, attractive, voxels)
    del order
    return _number(groups, read_only(inside.reshape(-1)), min_size).reshape(box)


@compiled
def _sort(
    affinities: Prediction, inside: Mask, offsets: Offsets, attractive: int, strides: Offsets
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All affinities with some strength, as voxel times channels plus channel, the strongest first.

    The second array is by falling strength: where what is as strong ends.
    """
    first = np.zeros(ONE + 1, np.int64)
    order = np.empty(0, np.uint32)
    planes, rows, columns, channels = affinities.shape
    for placing in (False, True):
        if placing:
            total = 0
            for strength in range(ONE + 1):
                number = first[strength]
                first[strength] = total
                total += number
            order = np.empty(total, np.uint32)
        for z in range(planes):
            for y in range(rows):
                for x in range(columns):
                    if not inside[z, y, x]:
                        continue
                    for channel in range(channels):
                        oz, oy, ox = z + offsets[channel, 0], y + offsets[channel, 1], x + offsets[channel, 2]
                        if min(oz, oy, ox) < 0 or oz >= planes or oy >= rows or ox >= columns:
                            continue
                        if not inside[oz, oy, ox]:
                            continue
                        value = affinities[z, y, x, channel]
                        if channel >= attractive:
                            if z % strides[0] or y % strides[1] or x % strides[2]:
                                continue
                            value = np.float32(1) - value
                        weakness = ONE - int(value * np.float32(ONE) + np.float32(0.5))
                        if weakness == ONE:
                            continue
                        if placing:
                            order[first[weakness]] = ((z * rows + y) * columns + x) * channels + channel
                        first[weakness] += 1
    return order, first


@compiled
def _doubled(array: Ends) -> Ends:
    larger = np.empty(2 * len(array), np.int32)
    for at in range(len(array)):
        larger[at] = array[at]
    return larger


@compiled
def _wider(keys: Keys) -> Keys:
    wider = np.zeros(2 * len(keys), np.uint64)
    for key in keys:
        if key != 0:
            wider[place_of(wider, key)] = key
    return wider


@compiled
def _join(order: NDArray[np.uint32], steps: NDArray[np.int64], attractive: int, voxels: int) -> Groups:
    channels = len(steps)
    groups = np.arange(voxels).astype(np.int32)
    first = np.full(voxels, -1, np.int32)  # by group: one of its ends of bans, or -1
    bans = np.zeros(voxels, np.int32)  # by group: how many ends there are, also of bans that came to say the same
    voxel_of = np.empty(1 << 12, np.int32)  # by end: a voxel of the group; a ban has the ends 2 * ban and one more
    following = np.empty(1 << 12, np.int32)  # by end: the next one of the same group, or -1
    ends = 0
    keys = np.zeros(1 << 12, np.uint64)  # of groups that are kept apart
    used = 0
    for at in range(len(order)):
        if at + _AHEAD < len(order):
            voxel, channel = divmod(int(order[at + _AHEAD]), channels)
            prefetch(groups, voxel)
            prefetch(groups, voxel + steps[channel])
        voxel, channel = divmod(int(order[at]), channels)
        one, other = find(groups, voxel), find(groups, voxel + steps[channel])
        if one == other:
            continue
        key = key_of(one, other)
        place = place_of(keys, key)
        if keys[place] != 0:
            continue
        if channel >= attractive:
            keys[place] = key
            used += 1
            if 2 * used > len(keys):
                keys = _wider(keys)
            if ends + 2 > len(voxel_of):
                voxel_of, following = _doubled(voxel_of), _doubled(following)
            voxel_of[ends], voxel_of[ends + 1] = one, other
            following[ends], following[ends + 1] = first[one], first[other]
            first[one], first[other] = ends, ends + 1
            bans[one] += 1
            bans[other] += 1
            ends += 2
            continue
        kept, gone = one, other
        if bans[other] > bans[one] or (bans[other] == bans[one] and other < one):
            kept, gone = other, one
        end = int(first[gone])
        while end != -1:
            after = int(following[end])
            beside = find(groups, int(voxel_of[end ^ 1]))
            before = key_of(gone, beside)
            if keys[place_of(keys, before)] == before:  # else another ban has said the same, and was moved before
                take_out(keys, keys, before)
                used -= 1
                moved = key_of(kept, beside)
                place = place_of(keys, moved)
                if keys[place] == 0:
                    keys[place] = moved
                    used += 1
                    following[end] = first[kept]
                    first[kept] = end
                    bans[kept] += 1
            end = after
        groups[gone] = kept
    for voxel in range(voxels):
        groups[voxel] = find(groups, voxel)
    return groups


@compiled
def _number(groups: Groups, inside: NDArray[np.bool_], min_size: int) -> NDArray[np.uint32]:
    sizes = np.zeros(len(groups), np.int32)
    for voxel in range(len(groups)):
        sizes[groups[voxel]] += 1
    labels = np.zeros(len(groups), np.uint32)
    number = 0
    for voxel in range(len(groups)):
        group = groups[voxel]
        if not inside[voxel] or (sizes[group] > 0 and sizes[group] < min_size):
            continue
        if sizes[group] > 0:
            number += 1
            sizes[group] = -number  # from here on its label
        labels[voxel] = -sizes[group]
    return labels
