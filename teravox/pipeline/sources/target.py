"""The info of the layer that is made of a source: what is asked for, and for the rest what the source says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.encoding import compression_of, encoding_words
from teravox.pipeline.layers.info import DataType, Json
from teravox.pipeline.layers.new_layer import new_info, new_scale
from teravox.pipeline.sources.volume import Volume, rounded_offset
from teravox.pipeline.storage.compression import check_level

if TYPE_CHECKING:
    import numpy as np

LABELS = frozenset({"uint32", "uint64", "int32", "int64"})  # what is taken for labels, unless --type says otherwise


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; None and auto leave it to the source."""

    resolution: tuple[float, float, float] | None
    offset: Vec | None
    bounds: Box | None
    type: Literal["auto", "image", "segmentation"]
    data_type: Literal["auto", DataType]
    encoding: str
    encoding_level: int | None
    encoding_effort: int | None
    chunk_size: Vec
    compress: str
    compress_level: int | None


class Target(msgspec.Struct, frozen=True):
    """A layer as it is to be, of one scale that is not sharded yet."""

    raw: Json
    bounds: Box  # in voxels of the layer
    offset: Vec  # of the source's first voxel
    said: tuple[str, ...]  # what was chosen for the user, as sentences


def make_target(volume: Volume, wanted: Wanted) -> Target:
    """The info for a source; BadUsage names the option that is missing, or cannot be meant."""
    place = volume.source.place
    if min(wanted.chunk_size) < 1:
        raise BadUsage(f"--chunk-size: expected three numbers from 1 up, got {wanted.chunk_size}")
    data_type = _data_type(volume, wanted.data_type)
    type = _type(volume, wanted.type, data_type)
    encoding = _encoding(wanted.encoding, type, data_type)
    offset = wanted.offset if wanted.offset is not None else rounded_offset(volume)
    whole = Box((0, 0, 0), volume.size).shift(offset)
    bounds = whole if wanted.bounds is None else wanted.bounds.intersect(whole)
    if bounds.is_empty:
        raise BadUsage(f"--bounds: {wanted.bounds} lies outside of {place}, which is {whole}")
    words = encoding_words(encoding, level=wanted.encoding_level, effort=wanted.encoding_effort)
    scale = new_scale(bounds=bounds, resolution=_resolution(volume, wanted), chunk=wanted.chunk_size, encoding=words)
    _check_compression(wanted)
    raw = new_info(type=type, data_type=data_type, channels=volume.channels, scales=[scale])
    return Target(raw, bounds, offset, tuple(_sentences(volume, wanted, raw)))


def _sentences(volume: Volume, wanted: Wanted, raw: Json) -> list[str]:
    source, scale = volume.source, raw["scales"][0]
    said = []
    if not volume.axes_are_said:
        said.append(
            f"{source.place} does not name its axes and is taken as {volume.axes}, which makes "
            f"{_say(volume.size)} voxels in x,y,z; --axes says otherwise"
        )
    if wanted.type == "auto":
        made, other = ("an image", "segmentation") if raw["type"] == "image" else ("a segmentation", "image")
        said.append(
            f"{source.place} holds {volume.dtype.name} and becomes {made}, encoded as {scale['encoding']}; "
            f"--type {other} says otherwise"
        )
    return said


def _data_type(volume: Volume, asked: str) -> str:
    """The data type of the layer: the source's own, as far as Precomputed has it."""
    if asked != "auto":
        if volume.dtype.kind not in "biuf":
            raise BadInput(f"{volume.source.place} holds {volume.dtype}, which are no numbers of a layer")
        return asked
    name = _alike(volume.dtype)
    if name is None:
        raise BadUsage(
            f"--data-type: {volume.source.place} holds {volume.dtype.name}, and layers hold {', '.join(get_args(DataType))}: "
            "choose one"
        )
    return name


def _alike(dtype: np.dtype[Any]) -> str | None:
    """The data type of layers that holds the same values."""
    if dtype.kind == "b":
        return "uint8"
    if dtype.kind == "f" and dtype.itemsize == 2:
        return "float32"
    return dtype.name if dtype.name in get_args(DataType) else None


def _type(volume: Volume, asked: str, data_type: str) -> str:
    if asked != "auto":
        return asked
    of_source = getattr(volume.source, "is_segmentation", None)
    is_labels = of_source if of_source is not None else data_type in LABELS and volume.channels == 1
    return "segmentation" if is_labels else "image"


def _encoding(asked: str, type: str, data_type: str) -> str:
    if asked != "auto":
        return asked
    return "compressed_segmentation" if type == "segmentation" and data_type in ("uint32", "uint64") else "raw"


def _resolution(volume: Volume, wanted: Wanted) -> tuple[float, float, float]:
    known = volume.known_resolution
    if wanted.resolution is not None:
        if not all(math.isfinite(n) and n > 0 for n in wanted.resolution):
            raise BadUsage(f"--resolution: expected three numbers above 0, got {_say(wanted.resolution)}")
        return wanted.resolution
    x, y, z = known
    if x is None or y is None or z is None:
        part = ",".join("?" if n is None else f"{n:g}" for n in known)
        some = f" (it says {part} nm in x,y,z)" if any(known) else ""
        raise BadUsage(
            f"--resolution: {volume.source.place} does not say how large its voxels are{some}: "
            "give their size in nanometres, as in --resolution 4,4,40"
        )
    return (x, y, z)


def _check_compression(wanted: Wanted) -> None:
    if wanted.compress_level is None:
        return
    if wanted.compress == "auto":
        raise BadUsage("--compress-level: means nothing without --compress gzip, br or zstd")
    check_level(compression_of(wanted.compress, "raw"), wanted.compress_level)


def _say(numbers: tuple[float, ...]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
