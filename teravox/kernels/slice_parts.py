"""The connected parts of slices: each slice by itself, tile by tile, so that no slice must be held as a whole."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.unions import find, unite

Tile = NDArray[Any]  # labels by slice, row and column
Ids = NDArray[np.int64]  # of parts, by slice, row and column; -1 where there is none
Sums = NDArray[np.int64]  # by part: its voxels, and the sums of their rows and columns
AREA, ROWS, COLUMNS = range(3)
PART = 300  # bytes that a part takes until the slices are done, what becomes of it included


class Parts(NamedTuple):
    """The parts of some slices, by slice, label and place; rows and columns of a centre are means."""

    slices: NDArray[np.int64]
    labels: NDArray[np.uint64]
    areas: NDArray[np.int64]
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]


class TooManyParts(Exception):
    """There are more parts than there is room for."""


class SliceParts:
    """Takes the tiles of some slices, from left to right and then downwards, and joins what they cut.

    Voxels of one label are joined that share an edge within the slice, or with `corners` a corner too.
    """

    def __init__(self, slices: int, columns: int, *, corners: bool, room: int) -> None:
        self._corners = corners
        self._room = room
        self._number = 0
        self._slices: list[NDArray[np.int64]] = []
        self._labels: list[NDArray[np.uint64]] = []
        self._sums: list[Sums] = []
        self._pairs: list[Ids] = []  # of parts that touch, of two rows
        self._above = np.full(
            (slices, columns + 2), -1, np.int64
        )  # the last row of the tiles above, one beyond its ends
        self._bottom = self._above.copy()  # the same of this row of tiles
        self._left = np.empty((slices, 0), np.int64)

    def add(self, tile: Tile, row: int, column: int) -> None:
        """Take the tile that begins in a row and a column, all of its slices; TooManyParts where there is no room for more."""
        height, width = tile.shape[1:]
        if column == 0:
            self._above, self._bottom = self._bottom, np.full_like(self._bottom, -1)
            self._left = np.full((len(tile), height), -1, np.int64)
        ids = self._number_parts(tile, row, column)
        before = np.concatenate([self._above[:, column, np.newaxis], self._left], axis=1)
        self._join(self._above[:, column + 1 : column + width + 1], ids[:, 0])
        self._join(self._left, ids[:, :, 0])
        if self._corners:
            self._join(self._above[:, column : column + width], ids[:, 0])
            self._join(self._above[:, column + 2 : column + width + 2], ids[:, 0])
            self._join(before[:, :-1], ids[:, :, 0])
            self._join(before[:, 2:], ids[:, :-1, 0])
        self._bottom[:, column + 1 : column + width + 1] = ids[:, -1]
        self._left = ids[:, :, -1].copy()

    def found(self, *, by_label: bool) -> Parts:
        """All parts; with `by_label` those of one label in a slice are one."""
        labels = np.concatenate([np.empty(0, np.uint64), *self._labels])
        slices = np.concatenate([np.empty(0, np.int64), *self._slices])
        sums = np.concatenate([np.empty((0, 3), np.int64), *self._sums])
        if by_label:
            order = np.lexsort((labels, slices))
            first = np.ones(len(order), np.bool_)
            first[1:] = (np.diff(slices[order]) != 0) | (np.diff(labels[order]) != 0)
        else:
            pairs = np.concatenate([np.empty((2, 0), np.int64), *self._pairs], axis=1)
            alike = labels[pairs[0]] == labels[pairs[1]]
            roots = _roots(len(labels), read_only(np.ascontiguousarray(pairs[:, alike])))
            order = np.argsort(roots, kind="stable")
            first = np.ones(len(order), np.bool_)
            first[1:] = np.diff(roots[order]) != 0
        starts = np.flatnonzero(first)
        whole = np.add.reduceat(sums[order], starts, axis=0) if len(starts) else sums
        which = order[starts]
        return _sorted(slices[which], labels[which], whole)

    def _number_parts(self, tile: Tile, row: int, column: int) -> Ids:
        import cc3d

        ids = np.full(tile.shape, -1, np.int64)
        connectivity: Literal[4, 8] = 8 if self._corners else 4
        for slice, (plane, into) in enumerate(zip(tile, ids, strict=True)):
            plane = np.ascontiguousarray(plane)
            if not plane.any():
                continue
            parts, number = cc3d.connected_components(
                plane.view(plane.dtype.str.replace("u8", "i8")),
                connectivity=connectivity,
                return_N=True,
                out_dtype=np.uint32,
            )
            if self._number + number > self._room:
                raise TooManyParts
            sums, places = np.zeros((number, 3), np.int64), np.zeros(number, np.int64)
            _add_up(np.ascontiguousarray(parts), row, column, self._number, sums, places, into)
            self._slices.append(np.full(number, slice, np.int64))
            self._labels.append(plane.reshape(-1)[places].astype(np.uint64))
            self._sums.append(sums)
            self._number += number
        return ids

    def _join(self, before: Ids, after: Ids) -> None:
        """Note which parts touch where two borders lie side by side; their labels are compared at the end."""
        touch = (before >= 0) & (after >= 0)
        if touch.any():
            self._pairs.append(np.unique(np.stack([before[touch], after[touch]]), axis=1))


def _sorted(slices: NDArray[np.int64], labels: NDArray[np.uint64], sums: Sums) -> Parts:
    areas = sums[:, AREA]
    rows, columns = sums[:, ROWS] / areas, sums[:, COLUMNS] / areas
    order = np.lexsort((columns, rows, labels, slices))
    return Parts(slices[order], labels[order], areas[order], rows[order], columns[order])


@compiled
def _add_up(
    parts: NDArray[np.uint32], row: int, column: int, before: int, sums: Sums, places: NDArray[np.int64], ids: Ids
) -> None:
    """Add up the voxels of each part, note the place of one of them, and write what each voxel's part is called."""
    for y in range(parts.shape[0]):
        for x in range(parts.shape[1]):
            part = np.int64(parts[y, x]) - 1
            if part >= 0:
                ids[y, x] = before + part
                places[part] = y * parts.shape[1] + x
                sums[part, AREA] += 1
                sums[part, ROWS] += row + y
                sums[part, COLUMNS] += column + x


@compiled
def _roots(number: int, pairs: Ids) -> NDArray[np.int64]:
    parents = np.arange(number)
    for at in range(pairs.shape[1]):
        unite(parents, pairs[0, at], pairs[1, at])
    for one in range(number):
        parents[one] = find(parents, one)
    return parents
