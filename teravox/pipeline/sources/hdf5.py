"""Data sets in HDF5 files."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources.axes import letters_of, usual_axes
from teravox.pipeline.sources.hdf5_links import check_parts, find_data, open_file
from teravox.pipeline.sources.lengths import times
from teravox.pipeline.sources.source import Choice, Known, Part, Source, bytes_of
from teravox.pipeline.storage.tally import TALLY

if TYPE_CHECKING:
    from teravox.pipeline.sources.source import Array

Hdf5 = Any  # h5py has no types
LISTED = 30  # data sets that an error names


class Hdf5Source(Source):
    """Reads through the HDF5 library, which lets one thread in at a time."""

    lanes = 1

    def __init__(self, path: str, data: Hdf5, files: ExitStack) -> None:
        self._files = files
        self._data = data
        self.place = f"{path}, data set {data.name.lstrip('/')}"
        self.shape = tuple(data.shape)
        self.dtype = data.dtype
        self.block = tuple(data.chunks) if data.chunks else (*(1,) * (len(self.shape) - 1), self.shape[-1])
        said = _said_axes(data.attrs, len(self.shape)) or letters_of([dim.label for dim in data.dims], len(self.shape))
        self.axes = said or usual_axes(len(self.shape), "C")
        self.axes_are_said = bool(said)
        self.known = _known(data.attrs, self.axes)

    def read(self, part: Part) -> Array:
        try:
            found: Array = self._data[part]
        except (OSError, RuntimeError) as error:
            raise BadInput(f"{self.place} cannot be read: {error}. Check the file with: h5ls -r") from None
        TALLY.read(found.nbytes)
        return found

    def lane_bytes(self) -> int:
        return 3 * bytes_of(self.block, self.dtype)  # of a chunk: packed, unpacked, and in between

    def close(self) -> None:
        self._files.close()


def open_hdf5(path: str, choice: Choice) -> Hdf5Source:
    """One data set of an HDF5 file: the one that is named, or the only one that can be an image."""
    with ExitStack() as files:
        data = _choose(path, files.enter_context(open_file(path)), choice.dataset, files)
        check_parts(data.file.filename, data)
        return Hdf5Source(path, data, files.pop_all())


def _choose(path: str, file: Hdf5, name: str | None, files: ExitStack) -> Hdf5:
    import h5py  # type: ignore[import-untyped]  # it has no types

    data = None if name is None else find_data(path, file, name, files)
    if data is not None:
        if data.ndim < 2:
            raise BadUsage(f"--dataset: {name} in {path} has {data.ndim} axes, and an image needs 2 at least")
        return data
    found: dict[str, Hdf5] = {}

    def note(inner: str, item: Hdf5) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "biuf":
            found[inner] = item

    file.visititems(note)
    volumes = [inner for inner, data in found.items() if data.ndim > 2]
    if name is None and len(volumes or found) == 1:
        return found[(volumes or list(found))[0]]
    if not found:
        raise BadInput(f"{path} has no data set that could be an image")
    lines = [f"{inner} ({'x'.join(map(str, data.shape))} {data.dtype})" for inner, data in sorted(found.items())]
    more = f" and {len(lines) - LISTED} more" if len(lines) > LISTED else ""
    problem = f"there is no {name} in {path}" if name is not None else f"{path} has several data sets: choose one"
    raise BadUsage(f"--dataset: {problem}. It has {', '.join(lines[:LISTED])}{more}")


def _said_axes(attributes: Hdf5, dimensions: int) -> str:
    """What vigra and ilastik say of the axes."""
    tags = attributes.get("axistags")
    try:
        names = [axis["key"] for axis in json.loads(tags)["axes"]] if tags is not None else None
    except (ValueError, TypeError, KeyError):
        return ""
    return letters_of(names, dimensions)


def _known(attributes: Hdf5, axes: str) -> Known:
    """Micrometres of z, y and x, as ImageJ's HDF5 plugins and PlantSeg write them."""
    said = attributes.get("element_size_um")
    if said is None or len(said) != 3:
        return Known()
    by_letter = {letter: times(float(number), "um") for letter, number in zip("zyx", said, strict=True)}
    return Known(tuple(by_letter.get(letter) for letter in axes))
