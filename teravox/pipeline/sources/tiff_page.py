"""One page of a TIFF file: the strips or tiles that a part of it lies in."""

from __future__ import annotations

import itertools
import math
import os
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.sources.source import Part, bytes_of
from teravox.pipeline.storage.tally import TALLY

if TYPE_CHECKING:
    from tifffile import TiffFrame, TiffPage

    from teravox.pipeline.sources.source import Array


class Broken(Exception):
    """A page or a picture cannot be read; the text says why."""


class Tiles(NamedTuple):
    """How a page is cut."""

    shape: tuple[int, int, int, int]  # of a strip or tile: planes, rows, columns, samples
    cells: tuple[int, int, int]  # how many there are along planes, rows and columns


def key_of(page: TiffPage | TiffFrame) -> TiffPage:
    """The page that says how this one is stored."""
    if page.keyframe is None:
        raise Broken("its header cannot be read")
    return page.keyframe


def tiles_of(key: TiffPage) -> Tiles:
    _, depth, length, width, _ = key.shaped
    samples = key.samplesperpixel if key.planarconfig == 1 else 1
    if key.is_tiled:
        shape = (key.tiledepth, key.tilelength, key.tilewidth, samples)
    else:
        shape = (1, min(key.rowsperstrip, length), width, samples)
    return Tiles(shape, (-(-depth // shape[0]), -(-length // shape[1]), -(-width // shape[2])))


def block_of(key: TiffPage) -> tuple[int, ...]:
    """What is decoded as one, in the axes of the page; one row of a plain page."""
    rows, columns = (1, key.shaped[3]) if is_plain(key) else tiles_of(key).shape[1:3]
    return tuple({"Y": rows, "X": columns}.get(axis, n) for axis, n in zip(key.axes, key.shape, strict=True))


def is_plain(key: TiffPage) -> bool:
    """Whether a page lies in the file as it would in memory."""
    return bool(key.is_memmappable)


def lane_bytes_of(key: TiffPage) -> int:
    """What decoding takes beside the part that is returned: a strip or tile packed, unpacked and in between."""
    if key.dtype is None or is_plain(key):
        return 0
    return 4 * bytes_of(tiles_of(key).shape, key.dtype)


def read_page(page: TiffPage | TiffFrame, descriptor: int, part: Part) -> Array:
    """A part of a page, in the page's axes; Broken says what is wrong with it."""
    import numpy as np

    key = key_of(page)
    region = dict(zip(key.axes, part, strict=True))
    rows, columns = region["Y"], region["X"]
    separate, depth, _, _, samples = key.shaped
    assert key.dtype is not None
    found = np.zeros((separate, depth, rows.stop - rows.start, columns.stop - columns.start, samples), key.dtype)
    if is_plain(key):
        _read_rows(page, descriptor, rows, columns, found)
    else:
        _read_tiles(page, descriptor, rows, columns, found)
    shape = [
        {"Y": found.shape[2], "X": found.shape[3]}.get(axis, n) for axis, n in zip(key.axes, key.shape, strict=True)
    ]
    rest = tuple(slice(None) if axis in "YX" else one for axis, one in region.items())
    return found.reshape(shape)[rest]


def _read_rows(page: TiffPage | TiffFrame, descriptor: int, rows: slice, columns: slice, found: Array) -> None:
    import numpy as np

    key = key_of(page)
    separate, depth, length, width, samples = key.shaped
    dtype = found.dtype.newbyteorder(key.parent.byteorder)
    voxel = samples * dtype.itemsize
    begin = page.dataoffsets[0]
    for plane in range(separate * depth):
        for row in range(rows.start, rows.stop):
            at = begin + ((plane * length + row) * width + columns.start) * voxel
            line = np.frombuffer(_read(descriptor, at, found.shape[3] * voxel), dtype)
            found[plane // depth, plane % depth, row - rows.start] = line.reshape(-1, samples)


def _read_tiles(page: TiffPage | TiffFrame, descriptor: int, rows: slice, columns: slice, found: Array) -> None:
    key = key_of(page)
    tiles = tiles_of(key)
    _, height, width, _ = tiles.shape
    planes = range(key.shaped[0] * tiles.cells[0])
    down = range(rows.start // height, -(-rows.stop // height))
    across = range(columns.start // width, -(-columns.stop // width))
    if len(page.dataoffsets) < len(planes) * math.prod(tiles.cells[1:]):
        raise Broken(f"it has {len(page.dataoffsets)} strips or tiles, which are too few")
    for plane, row, column in itertools.product(planes, down, across):
        number = (plane * tiles.cells[1] + row) * tiles.cells[2] + column
        if not page.databytecounts[number]:
            continue  # a tile that was left out is background
        data = _read(descriptor, page.dataoffsets[number], page.databytecounts[number])
        try:
            voxels, (at_separate, at_depth, y, x, _), _ = key.decode(
                data, number, jpegtables=page.jpegtables, jpegheader=key.jpegheader
            )
        except Exception as error:  # noqa: BLE001 - each of its many codecs has exceptions of its own
            raise Broken(f"strip or tile {number} cannot be decoded: {error}") from None
        if voxels is None:
            continue
        top, left = max(y, rows.start), max(x, columns.start)
        bottom, right = min(y + voxels.shape[1], rows.stop), min(x + voxels.shape[2], columns.stop)
        deep = min(voxels.shape[0], found.shape[1] - at_depth)
        found[
            at_separate,
            at_depth : at_depth + deep,
            top - rows.start : bottom - rows.start,
            left - columns.start : right - columns.start,
        ] = voxels[:deep, top - y : bottom - y, left - x : right - x]


def _read(descriptor: int, start: int, size: int) -> bytes:
    data = os.pread(descriptor, size, start)
    while len(data) < size:
        more = os.pread(descriptor, size - len(data), start + len(data))
        if not more:
            raise Broken(f"it is cut off at byte {start + len(data):,}")
        data += more
    TALLY.read(size)
    return data
