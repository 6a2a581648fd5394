"""What OME-Zarr says of its levels: their paths, axes, voxel sizes and places."""

from __future__ import annotations

from typing import Any

import msgspec

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources.lengths import nanometres
from teravox.pipeline.sources.source import Known

Json = dict[str, Any]  # JSON may hold anything
_OLD = ["t", "c", "z", "y", "x"]  # before version 0.3


class Level(msgspec.Struct, frozen=True):
    """One image of a pyramid."""

    path: str
    axes: tuple[str, ...]
    known: Known


def choose_level(attributes: Json, mip: int, place: str) -> Level | None:
    """The level `mip` of a group; None if the group is no image."""
    images = attributes.get("multiscales", attributes.get("ome", {}).get("multiscales"))
    if not images:
        return None
    image = images[0]
    try:
        levels = image["datasets"]
        if mip >= len(levels):
            raise BadUsage(f"--mip: {place} has levels 0 to {len(levels) - 1}, got {mip}")
        axes = image.get("axes", _OLD)
        names = tuple(str(axis["name"] if isinstance(axis, dict) else axis) for axis in axes)
        units = [axis.get("unit") if isinstance(axis, dict) else None for axis in axes]
        return Level(str(levels[mip]["path"]), names, _known(image, levels[mip], units))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{place}: its `multiscales` cannot be understood: {error!r}") from None


def _known(image: Json, level: Json, units: list[str | None]) -> Known:
    """The transformations of the level, then those of the image, as OME-Zarr orders them."""
    scale, shift = [1.0] * len(units), [0.0] * len(units)
    is_said = False
    for one in (*level.get("coordinateTransformations", []), *image.get("coordinateTransformations", [])):
        if one["type"] == "scale":
            scale = [a * float(b) for a, b in zip(scale, one["scale"], strict=True)]
            shift = [a * float(b) for a, b in zip(shift, one["scale"], strict=True)]
            is_said = True
        elif one["type"] == "translation":
            shift = [a + float(b) for a, b in zip(shift, one["translation"], strict=True)]
    nm = [nanometres(unit) for unit in units]
    if not is_said:
        return Known()
    return Known(
        tuple(None if one is None else number * one for number, one in zip(scale, nm, strict=True)),
        tuple(None if one is None else number * one for number, one in zip(shift, nm, strict=True)),
    )
