"""Regions of interest: the boxes of a volume that are not empty, in a file of their own and in the info."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.info import Json
from teravox.pipeline.layers.layer import Layer

WORD = "rois"  # in the first scale of an info, as Igneous writes it and CloudVolume reads it


class Roi(msgspec.Struct, frozen=True):
    """A box in voxels of mip 0, and the voxels that were found in it at the mip that was looked at."""

    box: Box
    voxels: int


class Rois(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and how it was looked for."""

    mip: int
    bounds: Box  # of what was looked at, in voxels of that mip
    suppress_faint: float
    dust: int
    rois: tuple[Roi, ...]


def rois_key(layer: Layer, mip: int) -> str:
    return f"stats/rois/{layer.scale(mip).key}.json"


def write_rois(layer: Layer, rois: Rois) -> None:
    data = msgspec.json.format(msgspec.json.encode(rois), indent=1)
    layer.store.put(rois_key(layer, rois.mip), data + b"\n", content_type="application/json")


def read_rois(layer: Layer, mip: int) -> Rois:
    """What was found when a mip was looked at the last time."""
    key = rois_key(layer, mip)
    data = layer.store.get(key)
    if data is None:
        raise BadInput(f"{layer.url}/{key} is missing: run image roi again")
    try:
        return msgspec.json.decode(data, type=Rois)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{layer.url}/{key} cannot be read: {error}. Run image roi again") from None


def write_to_info(layer: Layer, rois: Rois) -> None:
    """Put the boxes into the info, or take old ones out where there are none; both ends of a box belong to it there."""
    boxes = [[*roi.box.min, *(n - 1 for n in roi.box.max)] for roi in rois.rois]

    def change(raw: Json) -> Json:
        if boxes:
            raw["scales"][0][WORD] = boxes
        else:
            raw["scales"][0].pop(WORD, None)
        return raw

    layer.change_info(change)


def full_size(layer: Layer, mip: int, box: Box) -> Box:
    """The voxels of mip 0 that a box of another mip is made of; cells are counted from the lower corners."""
    low, high = [], []
    whole, above = layer.bounds(0), layer.bounds(mip)
    for axis, (fine, coarse) in enumerate(
        zip(layer.scale(0).resolution, layer.scale(mip).resolution, strict=True),
    ):
        cell = round(coarse / fine) if math.isclose(coarse / fine, round(coarse / fine)) else coarse / fine
        low.append(whole.min[axis] + math.floor((box.min[axis] - above.min[axis]) * cell))
        high.append(whole.min[axis] + math.ceil((box.max[axis] - above.min[axis]) * cell))
    return Box(_vec(low), _vec(high)).intersect(whole)


def _vec(numbers: list[int]) -> Vec:
    x, y, z = numbers
    return (x, y, z)
