"""The boxes of a file, or the blocks of a DVID ROI, as the part of a volume that is to be segmented."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.bundle import pack_bundle, read_bundle
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import within
from teravox.pipeline.segmentation.numbers import Numbers
from teravox.pipeline.segmentation.plan_file import REMEDY
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.segmentation.region import Mask

    Boxes = NDArray[np.int64]  # a row for each: x0, y0, z0, x1, y1, z1

DVID_BLOCK = 32  # voxels of full size
_BOX = re.compile(r"\s*(-?\d+),(-?\d+),(-?\d+)\s*:\s*(-?\d+),(-?\d+),(-?\d+)\s*")


class BoxRegion:
    """The voxels of some boxes, which may overlap."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes

    def mask(self, box: Box) -> Mask | None:
        import numpy as np

        mask = np.zeros(box.size, np.bool_, order="F")
        for row in self._boxes[self._touch(box)]:
            x0, y0, z0, x1, y1, z1 = map(int, row)
            mask[within(Box((x0, y0, z0), (x1, y1, z1)).intersect(box), box)] = True
        return None if mask.all() else mask

    def used(self, grid: Grid) -> Numbers:
        found: set[int] = set()
        across, up, _ = grid.cells
        for row in self._boxes:
            x0, y0, z0, x1, y1, z1 = map(int, row)
            box = Box((x0, y0, z0), (x1, y1, z1)).intersect(grid.bounds)
            if box.is_empty:
                continue
            low, high = (
                [(n - start) // length for n, start, length in zip(corner, grid.bounds.min, grid.shape, strict=True)]
                for corner in (box.min, [n - 1 for n in box.max])
            )
            found.update(
                x + across * (y + up * z)
                for z in range(low[2], high[2] + 1)
                for y in range(low[1], high[1] + 1)
                for x in range(low[0], high[0] + 1)
            )
        return Numbers.of(sorted(found))

    def pack(self) -> bytes:
        return pack_bundle({}, {"boxes": self._boxes})

    @classmethod
    def read(cls, store: Store, key: str) -> BoxRegion:
        return cls(read_bundle(store, key, REMEDY).get("boxes"))

    def _touch(self, box: Box) -> NDArray[np.bool_]:
        import numpy as np

        low, high = np.array(box.min), np.array(box.max)
        found: NDArray[np.bool_] = np.all((self._boxes[:, :3] < high) & (self._boxes[:, 3:] > low), axis=1)
        return found


def parse_region(
    data: bytes, path: str, fine: tuple[float, float, float], ours: tuple[float, float, float]
) -> BoxRegion:
    """The boxes of a file, or the runs of a DVID ROI; `fine` is the resolution of full size, which DVID's blocks are of."""
    import numpy as np

    text = data.decode(errors="replace")
    rows = _parse_json(text, path) if text.lstrip().startswith("[") else _parse_lines(text, path)
    if rows and len(rows[0]) == 4:
        rows = [_box_of_run(row, fine, ours) for row in rows]
    boxes = np.array(rows, np.int64).reshape(-1, 6)
    if not len(boxes) or not (boxes[:, :3] < boxes[:, 3:]).all(axis=1).any():
        raise BadUsage(f"--roi: {path} has no box with anything in it")
    return BoxRegion(boxes)


def _parse_json(text: str, path: str) -> list[Sequence[int]]:
    try:
        rows: list[Sequence[int]] = msgspec.json.decode(text, type=list[tuple[int, ...]])
    except msgspec.DecodeError as error:
        raise BadUsage(f"--roi: {path} is no list of DVID's runs [z, y, x0, x1] or of boxes: {error}") from None
    lengths = {len(row) for row in rows}
    if not lengths <= {4} and not lengths <= {6}:
        raise BadUsage(
            f"--roi: {path} must hold DVID's runs [z, y, x0, x1] only, or boxes [x0, y0, z0, x1, y1, z1] only"
        )
    return rows


def _parse_lines(text: str, path: str) -> list[Sequence[int]]:
    rows: list[Sequence[int]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        found = _BOX.fullmatch(said)
        if found is None:
            raise BadUsage(f"--roi: line {number} of {path} is no box like 0,0,0:512,512,64: {said[:80]!r}")
        rows.append([int(word) for word in found.groups()])
    return rows


def _box_of_run(
    run: Sequence[int], fine: tuple[float, float, float], ours: tuple[float, float, float]
) -> Sequence[int]:
    """The voxels of ours whose lower corners lie in a run of blocks."""
    z, y, first, last = run
    low, high = (first, y, z), (last + 1, y + 1, z + 1)
    return [
        math.ceil(n * DVID_BLOCK * small / large)
        for corner in (low, high)
        for n, small, large in zip(corner, fine, ours, strict=True)
    ]
