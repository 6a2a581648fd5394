"""Packs labels as compresso: byte by byte what its own library makes, several times as fast, and beside other threads.

The format: https://github.com/seung-lab/compresso. A voxel is an edge where the next one in x or in y has another label.
Plane by plane, edges are kept as windows of 4 x 4, and the regions between them as one label each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.compresso_format import BELOW, LESS, SAID, TO_RIGHT, Header
from teravox.kernels.set_bytes import EIGHT, first_set, shifted

Labels = NDArray[Any]  # of unsigned integers
Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Words = NDArray[np.uint64]
Patterns = NDArray[np.uint16]

_SIDE = 4  # voxels of a window in x and y
_PATTERNS = 1 << _SIDE * _SIDE
_MOST_RUN = (1 << 15) - 1
_ONE = np.uint64(1)
_BEFORE = np.uint64(1 << 56)  # before the first voxel of a row there is nothing, which counts as an edge
_GATHER = np.uint64((1 << 24) | (1 << 17) | (1 << 10) | (1 << 3))  # brings the lowest bits of four bytes together


def pack_compresso(labels: Labels) -> bytes | None:
    """The data of an array of x, y and z; None where it has more patterns of edges than windows can be numbered."""
    labels = np.asfortranarray(labels)
    sx, sy, sz = labels.shape
    edges = np.zeros((-(-sy // _SIDE) * _SIDE, -(-sx // EIGHT) * EIGHT), np.uint8)
    windows = np.empty((sz, -(-sy // _SIDE), -(-sx // _SIDE)), np.uint16)
    ids = np.empty(labels.size // 2 + sz, labels.dtype)
    said = np.empty(2 * labels.size, labels.dtype)
    highest = labels.dtype.type(np.iinfo(labels.dtype).max - LESS)
    counts = np.zeros((2, sz), np.int64)
    _find(read_only(labels.T), edges, edges.view(np.uint32), edges.view(np.uint64), windows, ids, said, highest, counts)
    values, runs = np.empty(_PATTERNS, np.uint16), np.empty(windows.size, np.uint16)
    used, length = _shorten(windows.reshape(-1), values, runs)
    if used > _MOST_RUN + 1:
        return None
    ends = counts.astype(_width_for(2 * sx * sy))
    ends[1] = np.roll(ends[1], 1)  # of the second list the format has where planes begin, as differences
    ends[1, 0] = 0
    regions, sayings = counts.sum(axis=1).tolist()
    header = Header(b"cpso", 1, labels.itemsize, sx, sy, sz, _SIDE, _SIDE, 1, regions, used, sayings, 4)
    parts = [ids[:regions], values[:used], said[:sayings], runs[:length], ends]
    return header.pack() + b"".join([part.tobytes() for part in parts])


def _width_for(most: int) -> str:
    return next(f"<u{width}" for width in (1, 2, 4, 8) if most < (1 << 8 * width) - 1)


@compiled
def _find(
    planes: Labels,
    edges: Bytes,
    quads: NDArray[np.uint32],
    words: Words,
    windows: NDArray[np.uint16],
    ids: Labels,
    said: Labels,
    highest: Any,
    counts: Numbers,
) -> None:
    """Fill in what the format keeps of each plane; `quads` and `words` are the edges, four and eight in a number.

    A label above `highest` cannot be told from the words that say where an edge has its label from.
    """
    sz, sy, sx = planes.shape
    parents = np.empty(sx * sy // 2 + 1, np.int32)
    colors = np.empty(sx * sy // 2 + 1, ids.dtype)
    runs = np.empty((2, sx // 2 + 1, 3), np.int32)  # of the row before and of this one: begin, end, region
    turns = np.empty(sx + 2, np.int32)
    regions = sayings = 0
    for z in range(sz):
        plane = planes[z]
        _mark_edges(plane, edges)
        first, already = regions, sayings
        news = _find_regions(plane, words, runs, turns, parents, colors)
        sayings = _say_edges(plane, edges, words, said, sayings, highest)
        for region in range(news):
            if parents[region] == region:
                ids[regions] = colors[region]
                regions += 1
        counts[0, z] = regions - first
        counts[1, z] = sayings - already
        _keep_windows(quads, windows[z])


@compiled
def _mark_edges(plane: Labels, edges: Bytes) -> None:
    sy, sx = plane.shape
    for y in range(sy):
        row, below, edge = plane[y], plane[min(y + 1, sy - 1)], edges[y]
        for x in range(sx - 1):
            edge[x] = (row[x] != row[x + 1]) | (row[x] != below[x])
        edge[sx - 1] = row[sx - 1] != below[sx - 1]


@compiled
def _find_regions(
    plane: Labels,
    words: Words,
    runs: NDArray[np.int32],
    turns: NDArray[np.int32],
    parents: NDArray[np.int32],
    colors: Labels,
) -> int:
    """Number the regions between the edges of a plane, and say how many there are: of some that meet, the first one stands for all.

    Row by row it takes the runs between edges, which begin and end where the row turns from one to the other: `runs` has
    those of this row and of the one before, by their begin, their end and their region. A run belongs to the regions of
    the runs that it touches in the row before, or to a new one.
    """
    sy, sx = plane.shape
    news = before = 0
    for y in range(sy):
        turn, last = 0, np.uint64(0)
        for place in range(words.shape[1]):
            word = words[y, place] ^ shifted(words[y, place], last)
            last = words[y, place]
            while word:
                turns[turn] = EIGHT * place + first_set(word)
                turn += turns[turn] < sx  # beyond it there are no edges
                word &= word - _ONE
        turns[turn] = turns[turn + 1] = sx  # so that their number is even
        this, other = y & 1, 1 - (y & 1)
        here = near = begin = 0
        for end_at in range(0, turn + 1, 2):
            end = int(turns[end_at])
            if end > begin:
                region = -1
                while near < before and runs[other, near, 1] <= begin:
                    near += 1
                touching = near
                while touching < before and runs[other, touching, 0] < end:
                    root = int(runs[other, touching, 2])
                    while parents[root] != root:
                        parents[root] = parents[parents[root]]
                        root = int(parents[root])
                    if region < 0 or root < region:
                        if region >= 0:
                            parents[region] = root
                        region = root
                    else:
                        parents[root] = region
                    touching += 1
                if region < 0:
                    region = news
                    parents[news] = news
                    colors[news] = plane[y, begin]
                    news += 1
                runs[this, here, 0], runs[this, here, 1], runs[this, here, 2] = begin, end, region
                here += 1
            begin = int(turns[end_at + 1])
        before = here
    return news


@compiled
def _say_edges(plane: Labels, edges: Bytes, words: Words, said: Labels, sayings: int, highest: Any) -> int:
    """Say the labels of those edges of a plane that have an edge, or nothing, before them in x and in y."""
    sy, sx = plane.shape
    for y in range(sy):
        last = _BEFORE
        for place in range(words.shape[1]):
            word = words[y, place] & shifted(words[y, place], last)
            last = words[y, place]
            if y > 0:
                word &= words[y - 1, place]
            while word:
                x = EIGHT * place + first_set(word)
                word &= word - _ONE
                label = plane[y, x]
                if x < sx - 1 and edges[y, x + 1] == 0 and plane[y, x + 1] == label:
                    said[sayings] = TO_RIGHT
                elif y < sy - 1 and edges[y + 1, x] == 0 and plane[y + 1, x] == label:
                    said[sayings] = BELOW
                elif label > highest:
                    said[sayings] = SAID
                    sayings += 1
                    said[sayings] = label
                else:
                    said[sayings] = label + said.dtype.type(LESS)
                sayings += 1
    return sayings


@compiled
def _keep_windows(quads: NDArray[np.uint32], windows: NDArray[np.uint16]) -> None:
    for wy in range(windows.shape[0]):
        for wx in range(windows.shape[1]):
            pattern = np.uint64(0)
            for dy in range(_SIDE):
                bits = (np.uint64(quads[wy * _SIDE + dy, wx]) * _GATHER >> np.uint64(24)) & np.uint64(15)
                pattern |= bits << np.uint64(_SIDE * dy)
            windows[wy, wx] = pattern


@compiled
def _shorten(windows: Patterns, values: Patterns, runs: Patterns) -> tuple[int, int]:
    """Number the patterns and shorten the windows without edges to runs; how many patterns and how many runs there are."""
    are_there = np.zeros(_PATTERNS, np.uint8)
    words = are_there.view(np.uint64)
    for window in windows:
        are_there[window] = 1
    number = np.empty(_PATTERNS, np.uint16)
    used = 0
    for place in range(len(words)):
        word = words[place]
        while word:
            pattern = EIGHT * place + first_set(word)
            word &= word - _ONE
            values[used] = pattern
            number[pattern] = used
            used += 1
    length = zeros = 0
    if used > _MOST_RUN + 1:
        return used, length
    for window in windows:
        which = number[window]
        if which == 0:
            zeros += 1
        if zeros and (which != 0 or zeros == _MOST_RUN):
            runs[length] = zeros << 1 | 1
            length += 1
            zeros = 0
        if which != 0:
            runs[length] = which << 1
            length += 1
    if zeros:
        runs[length] = zeros << 1 | 1
        length += 1
    return used, length
