"""One file of a stack: a TIFF of one page, a PNG or a JPEG."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.sources.pictures import jpeg_shape, png_shape, read_jpeg, read_png
from teravox.pipeline.sources.source import Part
from teravox.pipeline.sources.tiff_page import Broken, block_of, lane_bytes_of, read_page
from teravox.pipeline.storage.tally import TALLY

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

    from teravox.pipeline.sources.source import Array

FORMATS = {".tif": "TIFF", ".tiff": "TIFF", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


class Header(msgspec.Struct, frozen=True):
    """What a file says of its picture."""

    shape: tuple[int, ...]
    dtype: str
    axes: str  # yx, yxc or cyx

    def __str__(self) -> str:
        size = dict(zip(self.axes, self.shape, strict=True))
        channels = f" and {size['c']} channels" if "c" in size else ""
        return f"{size['x']} x {size['y']} voxels of {self.dtype.lstrip('<>')}{channels}"


class Cost(msgspec.Struct, frozen=True):
    """How a file is read."""

    block: tuple[int, ...]
    lane_bytes: int


def format_of(path: str) -> str | None:
    """TIFF, PNG or JPEG, by the ending of a name."""
    return FORMATS.get(os.path.splitext(path)[1].lower())  # noqa: PTH122 - of a million names


def read_header(path: str) -> Header:
    """What a file says of itself; Broken where it cannot be read."""
    try:
        match format_of(path):
            case "PNG":
                shape, dtype = png_shape(path)
            case "JPEG":
                shape, dtype = jpeg_shape(path)
            case _:
                with _open_tiff(path) as tiff:
                    return _tiff_header(_only_page(tiff))
    except OSError as error:
        raise Broken(f"{error.strerror or error}") from None
    return Header(shape, dtype, "yxc"[: len(shape)])


def cost_of(path: str, header: Header) -> Cost:
    """How the file of a stack is read; the others are taken to be like it."""
    import numpy as np

    if format_of(path) != "TIFF":
        return Cost(header.shape, 2 * int(np.prod(header.shape)) * np.dtype(header.dtype).itemsize)
    with _open_tiff(path) as tiff:
        page = _only_page(tiff)
        return Cost(block_of(page), lane_bytes_of(page))


def read_part(path: str, header: Header, part: Part) -> Array:
    """A part of a file's picture, in its own axes; Broken where it cannot be read or is not as the header of the stack says."""
    try:
        if format_of(path) == "TIFF":
            with _open_tiff(path) as tiff:
                page = _only_page(tiff)
                check_same(_tiff_header(page), header)
                return read_page(page, tiff.filehandle.fileno(), part)
        TALLY.read(Path(path).stat().st_size)
        found = read_png(path) if format_of(path) == "PNG" else read_jpeg(path)
    except OSError as error:
        raise Broken(f"{error.strerror or error}") from None
    check_same(Header(found.shape, found.dtype.name, "yxc"[: found.ndim]), header)
    return found[part]


class Differs(Exception):
    """A slice is sound, and not like the others."""


def check_same(found: Header, expected: Header) -> None:
    if found != expected:
        raise Differs(f"has {found}, and the first has {expected}")


def _open_tiff(path: str) -> TiffFile:
    import tifffile

    try:
        return tifffile.TiffFile(path)
    except OSError as error:
        raise Broken(f"{error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 - a damaged header fails in many ways
        raise Broken(f"it is no TIFF that can be read: {error}") from None


def _only_page(tiff: TiffFile) -> TiffPage:
    try:
        pages = len(tiff.pages)
        images = (tiff.imagej_metadata or {}).get("images", 1) if tiff.is_imagej else 1
        first = tiff.pages.first
    except Exception as error:  # noqa: BLE001 - as above
        raise Broken(f"it is no TIFF that can be read: {error}") from None
    if max(pages, images) > 1:
        raise Differs(f"has {max(pages, images)} pages, and a stack has one slice in a file; create from it alone")
    return first


def _tiff_header(page: TiffPage) -> Header:
    axes = page.axes.lower().replace("s", "c")
    if axes not in {"yx", "yxc", "cyx"} or page.dtype is None:
        raise Differs(f"has axes {page.axes}, and a slice is of rows, columns and channels")
    return Header(tuple(page.shape), page.dtype.name, axes)
