"""Packs labels as crackle, byte by byte as its own library does, several times as fast."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.crackle.chains import sort_chains, write_starts, write_steps
from teravox.kernels.crackle.checksums import Sums, crc32c, weigh
from teravox.kernels.crackle.header import Header, width_for
from teravox.kernels.crackle.outlines import follow, list_cracks
from teravox.kernels.crackle.regions import DOWN_FROM, RIGHT_FROM, Numbers, close_numbers, number_regions, stride_of

Labels = NDArray[Any]  # of unsigned integers
Bytes = NDArray[np.uint8]

WORD = 4  # bytes
SLAB = 1 << 18  # voxels that are worked on at once; a plane may have more


class _Slab(NamedTuple):
    """Some planes, packed."""

    codes: bytes
    lengths: Sums  # of each plane's part
    regions: NDArray[np.int64]  # of each plane
    labels: Labels  # of each region
    sums: Sums  # of each plane
    differ: int  # voxels that are not like the one before in their plane, of the row before if need be


def pack_crackle(labels: Labels) -> bytes:
    """The data of an array of x, y and z, which must not be empty."""
    labels = np.asfortranarray(labels)
    slabs = _pack_slabs(labels, joins=False)
    differ = sum(slab.differ for slab in slabs) + int(np.count_nonzero(labels[0, 0, 1:] != labels[-1, -1, :-1]))
    joins = labels.size - 1 - differ < labels.size // 2
    if joins:  # noise is drawn by where voxels are alike, which is shorter
        slabs.clear()
        slabs = _pack_slabs(labels, joins=True)
    sx, sy, _ = labels.shape
    known = functools.reduce(np.union1d, [slab.labels for slab in slabs[1:]], np.unique(slabs[0].labels))
    stored = width_for(int(known[-1]))
    list_of_labels = b"".join([
        len(known).to_bytes(8, "little"),
        known.astype(f"<u{stored}").tobytes(),
        *[slab.regions.astype(f"<u{width_for(sx * sy)}").tobytes() for slab in slabs],
        *[np.searchsorted(known, slab.labels).astype(f"<u{width_for(len(known))}").tobytes() for slab in slabs],
    ])  # fmt: skip
    header = Header(labels.shape, labels.itemsize, stored, joins, len(list_of_labels))
    lengths = b"".join([slab.lengths.astype("<u4").tobytes() for slab in slabs])
    return b"".join([
        header.pack(),
        lengths,
        _sum_of(lengths),
        list_of_labels,
        *[slab.codes for slab in slabs],
        _sum_of(list_of_labels),
        *[slab.sums.astype("<u4").tobytes() for slab in slabs],
    ])  # fmt: skip


def _sum_of(data: bytes) -> bytes:
    return crc32c(np.frombuffer(data, np.uint8)).to_bytes(4, "little")


def _pack_slabs(labels: Labels, *, joins: bool) -> list[_Slab]:
    sx, sy, sz = labels.shape
    step = max(1, SLAB // (sx * sy))
    return [_pack_slab(labels, z, min(step, sz - z), joins=joins) for z in range(0, sz, step)]


def _pack_slab(labels: Labels, z: int, planes: int, *, joins: bool) -> _Slab:
    sx, sy, _ = labels.shape
    area = sx * sy
    here = labels[:, :, z : z + planes].reshape(-1, order="F")
    whole = here if here.itemsize >= WORD else here.astype(np.uint32)
    widths = width_for(sx + 1), width_for(sy + 1)
    codes = np.empty(planes * most_of_plane(sx, sy, *widths), np.uint8)
    places = np.empty(len(here), np.uint32)
    lengths, sums = np.empty((2, planes), np.uint32)
    regions = np.empty(planes, np.int64)
    length, found, differ = _pack_planes(
        read_only(whole.view(np.uint32)), whole.itemsize // WORD, sx, sy, stride_of(sx), joins, weigh(area), *widths,
        codes, lengths, sums, regions, places,
    )  # fmt: skip
    return _Slab(codes[:length].tobytes(), lengths, regions, here[places[:found]], sums, differ)


def most_of_plane(sx: int, sy: int, width_x: int, width_y: int) -> int:
    """The most bytes that the chains of a plane take: each crack may start one, or be followed by a branch and by an end."""
    cracks = 2 * sx * sy
    return 4 + width_y + (sy + 1) * (width_x + width_y) + cracks * width_x + 5 * cracks // 4 + 1


@compiled
def _pack_planes(
    labels: NDArray[np.uint32],
    wide: int,
    sx: int,
    sy: int,
    stride: int,
    joins: bool,
    weights: Sums,
    width_x: int,
    width_y: int,
    out: Bytes,
    lengths: Sums,
    sums: Sums,
    regions: NDArray[np.int64],
    places: Numbers,
) -> tuple[int, int, int]:
    """Write the chains of each plane, where each of its regions begins, and its sum.

    Labels are of so many words each. Returns how many bytes and how many regions there are, and how many voxels differ
    from the one before them in their plane.
    """
    area = sx * sy
    words = np.zeros((sy + 2) * stride // 8, np.uint64)  # marks, with an empty row at either end
    marks = words.view(np.uint8)
    crack_words = np.empty((sy + 1) * stride // 8, np.uint64)
    cracks = crack_words.view(np.uint8)
    begins, numbers, firsts = np.empty(area + 1, np.uint32), np.empty(area, np.uint32), np.empty(area, np.uint32)
    parents, factors = np.empty(area, np.uint32), np.empty(area, np.uint32)
    steps, waiting = np.empty(6 * area, np.uint8), np.empty(4 * area, np.uint32)
    starts, ends, order = np.empty(2 * area, np.uint32), np.empty(2 * area, np.uint32), np.empty(2 * area, np.uint32)
    at = found = differ = 0
    for z in range(len(lengths)):
        plane = labels[wide * z * area : wide * (z + 1) * area]
        differ += _mark(plane, wide, sx, sy, stride, marks)
        end, news = number_regions(words[stride // 8 :], sx, sy, weights, begins, numbers, firsts, parents, factors)
        differ += end - sy
        regions[z], sums[z] = close_numbers(firsts, parents, factors, news, weights)
        for region in range(regions[z]):
            places[found + region] = z * area + firsts[region]
        found += regions[z]
        if joins:
            _invert(marks, sx, sy, stride)
        list_cracks(marks, stride, cracks)
        chains = follow(cracks, crack_words, stride, steps, starts, ends, waiting)
        sort_chains(starts, chains, order)
        begin = at
        at = write_starts(starts, chains, order, stride, width_x, width_y, out, at)
        at = write_steps(steps, ends, chains, order, out, at)
        lengths[z] = at - begin
    return at, found, differ


@compiled
def _mark(plane: NDArray[np.uint32], wide: int, sx: int, sy: int, stride: int, marks: Bytes) -> int:
    """Mark where a voxel differs from its neighbour at the left or above; how many rows begin unlike the one before ends."""
    unlike = 0
    marks[stride] = 0
    for x in range(1, sx):
        marks[stride + x] = _differ(plane, wide, x, x - 1)
    for y in range(1, sy):
        begin, corner = y * sx, (y + 1) * stride
        mark = marks[corner : corner + sx]
        row = plane[begin * wide : (begin + sx) * wide]
        left = plane[(begin - 1) * wide : (begin + sx - 1) * wide]
        above = plane[(begin - sx) * wide : begin * wide]
        if wide == 1:
            for x in range(sx):
                mark[x] = np.uint8(row[x] != left[x]) | np.uint8(np.uint8(row[x] != above[x]) << 1)
        else:
            for x in range(sx):
                mark[x] = (
                    _differ(plane, wide, begin + x, begin + x - 1)
                    | _differ(plane, wide, begin + x, begin + x - sx) << 1
                )
        unlike += mark[0] & DOWN_FROM
        mark[0] &= np.uint8(RIGHT_FROM)
    return unlike


@compiled
def _differ(plane: NDArray[np.uint32], wide: int, one: int, other: int) -> np.uint8:
    differ = plane[one * wide] ^ plane[other * wide]
    if wide == 2:
        differ |= plane[2 * one + 1] ^ plane[2 * other + 1]
    return np.uint8(differ != 0)


@compiled
def _invert(marks: Bytes, sx: int, sy: int, stride: int) -> None:
    """Have a mark wherever there was none, within the plane."""
    for y in range(sy):
        corner = (y + 1) * stride
        row = marks[corner : corner + sx]
        both = np.uint8(DOWN_FROM | RIGHT_FROM if y else DOWN_FROM)
        for x in range(sx):
            row[x] ^= both
        row[0] &= np.uint8(RIGHT_FROM)
