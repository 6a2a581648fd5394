"""What N5 says of its levels and of the size of voxels, in the customs of n5-viewer, Paintera and Janelia's tools."""

from __future__ import annotations

from typing import Any

from teravox.pipeline.sources.lengths import times
from teravox.pipeline.sources.source import Known

Json = dict[str, Any]  # JSON may hold anything


def known_of(group: Json, data: Json, dimensions: int) -> Known:
    """Nanometres of a voxel of a data set in a group: `pixelResolution`, or `resolution` with `units`."""
    for said, is_full_size in ((data, False), (group, True)):
        steps = _steps(said, dimensions)
        if steps is None:
            continue
        factors = data.get("downsamplingFactors", [1] * dimensions) if is_full_size else [1] * dimensions
        if len(factors) == dimensions:
            return Known(tuple(step and step * float(f) for step, f in zip(steps, factors, strict=True)))
    return Known()


def _steps(said: Json, dimensions: int) -> list[float | None] | None:
    pixel = said.get("pixelResolution")
    numbers: object
    units: object
    if isinstance(pixel, dict) and isinstance(pixel.get("dimensions"), list):
        numbers, units = pixel["dimensions"], [pixel.get("unit")] * dimensions
    elif isinstance(pixel, list):
        numbers, units = pixel, [said.get("unit")] * dimensions
    else:
        numbers, units = said.get("resolution"), said.get("units")
    if not isinstance(numbers, list) or not isinstance(units, list) or len(numbers) != len(units):
        return None
    steps = [times(number, unit) for number, unit in zip(numbers, units, strict=True)]
    steps += [None] * (dimensions - len(steps))
    return steps if len(steps) == dimensions and any(steps) else None
