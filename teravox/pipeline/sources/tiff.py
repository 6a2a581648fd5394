"""A TIFF or BigTIFF of many pages, plain, tiled or compressed, also OME-TIFF and ImageJ's."""

from __future__ import annotations

import math
import os
import struct
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources.flat import FlatSource
from teravox.pipeline.sources.lengths import nanometres, times
from teravox.pipeline.sources.source import Choice, Known, Part, Source, size_of
from teravox.pipeline.sources.tiff_page import Broken, block_of, lane_bytes_of, read_page
from teravox.pipeline.storage.errno_sentences import explain

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

    from teravox.pipeline.sources.source import Array

A_PAGE = 1000  # bytes of knowing about one


class TiffSource(Source):
    """The axes of the pages, then those of a page."""

    def __init__(self, path: str, tiff: TiffFile, series: TiffPageSeries, axes: str, known: Known) -> None:
        self.place = path
        self._tiff = tiff
        self._series = series
        key = series.keyframe
        assert series.dtype is not None
        self._inner = len(key.shape)
        self.shape = tuple(series.shape)
        self.dtype = series.dtype
        self.axes = axes
        self.axes_are_said = True
        self.known = known
        self.block = (*(1,) * (len(self.shape) - self._inner), *block_of(key))
        self._lane_bytes = lane_bytes_of(key)

    def read(self, part: Part) -> Array:
        import numpy as np

        outer = self.shape[: len(self.shape) - self._inner]
        found = np.empty(size_of(part), self.dtype)
        flat = found.reshape(-1, *found.shape[len(outer) :])
        starts = [range(one.start, one.stop) for one in part[: len(outer)]]
        numbers = np.ravel_multi_index(np.meshgrid(*starts, indexing="ij"), outer).ravel() if outer else np.array([0])
        for at, number in enumerate(numbers.tolist()):
            page = self._series[number]
            if page is None:
                raise BadInput(f"page {number} of {self.place} is not there")
            try:
                flat[at] = read_page(page, self._tiff.filehandle.fileno(), part[len(outer) :])
            except Broken as error:
                raise BadInput(f"page {number} of {self.place} cannot be read: {error}") from None
        return found

    def spare_bytes(self) -> int:
        return A_PAGE * len(self._series)

    def lane_bytes(self) -> int:
        return self._lane_bytes

    def close(self) -> None:
        self._tiff.close()


def open_tiff(path: str, choice: Choice) -> Source:
    """A TIFF file; several images in it are told apart by their number in --dataset, levels by --mip."""
    import tifffile

    try:
        tiff = tifffile.TiffFile(path, _multifile=False)
    except OSError as error:
        raise explain(error, "read", path) from error
    except Exception as error:  # noqa: BLE001 - a damaged header fails in many ways
        raise BadInput(f"{path} is no TIFF that can be read: {error}") from None
    try:
        return _open(path, tiff, choice)
    except BaseException:
        tiff.close()
        raise


def _open(path: str, tiff: TiffFile, choice: Choice) -> Source:
    try:
        every = tiff.series
    except Exception as error:  # noqa: BLE001 - as above
        raise BadInput(f"{path} is no TIFF that can be read: {error}") from None
    _refuse_cut_off(path, tiff)
    number = _choose(path, every, choice.dataset)
    whole = every[number]
    if choice.mip >= len(whole.levels):
        raise BadUsage(f"--mip: {path} has levels 0 to {len(whole.levels) - 1}, got {choice.mip}")
    series = whole.levels[choice.mip]
    if not math.prod(series.shape):
        raise BadInput(f"{path} has no voxels")
    letters = _letters(series.axes, series.shape)
    known = _known(tiff, number, whole, series, letters)
    if series.dataoffset is not None:
        begin, dtype = series.dataoffset, series.dtype.newbyteorder(tiff.byteorder)
        spare = A_PAGE * len(tiff.pages)
        tiff.close()
        return FlatSource(
            path,
            tuple(series.shape),
            dtype,
            begin=begin,
            order="C",
            axes=letters,
            axes_are_said=True,
            known=known,
            spare=spare,
        )
    pages, inner = len(series), series.keyframe.shape
    outer = series.shape[: len(series.shape) - len(inner)]
    if tuple(series.shape[len(outer) :]) != tuple(inner) or math.prod(outer) > pages:
        raise BadInput(f"{path} has {pages} pages, which do not make {' x '.join(map(str, series.shape))} voxels")
    return TiffSource(path, tiff, series, letters, known)


def _refuse_cut_off(path: str, tiff: TiffFile) -> None:
    """Raise BadInput if the last page names another one after it: a file that ends too early loses pages."""
    form, last = tiff.tiff, tiff.pages[-1].offset
    descriptor = tiff.filehandle.fileno()
    (tags,) = struct.unpack(form.tagnoformat, os.pread(descriptor, form.tagnosize, last))
    data = os.pread(descriptor, form.offsetsize, last + form.tagnosize + tags * form.tagsize)
    (following,) = struct.unpack(form.offsetformat, data) if len(data) == form.offsetsize else (last,)
    if following:
        raise BadInput(f"{path} is cut off, or damaged: what should follow page {len(tiff.pages) - 1} is not there")


def _choose(path: str, every: list[TiffPageSeries], name: str | None) -> int:
    if not every:
        raise BadInput(f"{path} has no voxels")
    if name is None and len(every) == 1:
        return 0
    if name is not None and name.isdecimal() and int(name) < len(every):
        return int(name)
    images = [f"{at} ({'x'.join(map(str, one.shape))} {one.dtype})" for at, one in enumerate(every)]
    problem = "has several images: choose one" if name is None else f"has no image {name}"
    raise BadUsage(
        f"--dataset: {path} {problem}. It has {', '.join(images[:20])}" + (" and more" if len(images) > 20 else "")
    )


def _letters(axes: str, shape: tuple[int, ...]) -> str:
    """Letters for the axes that tifffile names; an axis of pages that nobody names is z."""
    letters = axes.lower().replace("s", "c") if "C" not in axes else axes.lower()
    if "z" not in letters:
        for other in "iq":
            letters = letters.replace(other, "z", 1) if "z" not in letters else letters
    known = all(letter in "xyzct" for letter in letters) and len(set(letters)) == len(letters) == len(shape)
    return letters if known else ""


def _known(tiff: TiffFile, number: int, whole: TiffPageSeries, series: TiffPageSeries, letters: str) -> Known:
    by_letter = _ome(tiff, number) if tiff.is_ome else _imagej(tiff) if tiff.is_imagej else {}
    at = dict(zip(letters, range(len(letters)), strict=True))
    for letter in "xyz":  # of a level, by how much it is smaller
        step = by_letter.get(letter)
        if step is not None and letter in at and series is not whole:
            by_letter[letter] = step * whole.shape[at[letter]] / series.shape[at[letter]]
    return Known(tuple(by_letter.get(letter) for letter in letters))


def _ome(tiff: TiffFile, number: int) -> dict[str, float | None]:
    """PhysicalSizeX, Y and Z of an image; micrometres unless they say otherwise."""
    import tifffile

    try:
        images: Any = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]  # Any: XML may hold anything
        image = images[number] if isinstance(images, list) else images
        pixels = image["Pixels"]
        pixels = pixels[0] if isinstance(pixels, list) else pixels
    except (KeyError, IndexError, TypeError, SyntaxError):
        return {}
    sides = {}
    for letter in "xyz":
        size, unit = pixels.get(f"PhysicalSize{letter.upper()}"), pixels.get(f"PhysicalSize{letter.upper()}Unit", "µm")
        sides[letter] = times(size, unit)
    return sides


def _imagej(tiff: TiffFile) -> dict[str, float | None]:
    """ImageJ's unit holds for the spacing of slices and for the resolution of the first page."""
    said = tiff.imagej_metadata or {}
    unit = said.get("unit")
    if nanometres(unit) is None:
        return {}
    first: TiffPage = tiff.pages.first
    sides: dict[str, float | None] = {"z": times(said.get("spacing"), unit)}
    for letter, tag in (("x", "XResolution"), ("y", "YResolution")):
        value = first.tags.valueof(tag)
        if value and value[0]:
            sides[letter] = times(value[1] / value[0], unit)
    return sides
