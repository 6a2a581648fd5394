"""Small pictures of a mip: slices through the middle, across each axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.quality.stored import PLANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

    Array = NDArray[Any]  # of the layer's data type

SIDE = 256  # voxels of the longest side of a picture

Range = tuple[float, float]


class Thumbnail(msgspec.Struct, frozen=True, kw_only=True):
    """A slice through the middle of a mip, or why there is none."""

    plane: str
    box: Box  # of voxels that it shows
    width: float  # nanometres
    height: float
    png: bytes = b""
    trouble: str | None = None


def draw_thumbnails(layer: Layer, mip: int, contrast: Range | None) -> list[Thumbnail]:
    """Slices along x and y, x and z, y and z; labels in colors where there is no contrast. Missing chunks are black."""
    return [_draw(layer, mip, axis, contrast) for axis in (2, 1, 0)]


def _draw(layer: Layer, mip: int, axis: int, contrast: Range | None) -> Thumbnail:
    from teravox.kernels.quality.paint import paint_gray, paint_labels
    from teravox.pipeline.layers.codecs.png import encode_png

    box = middle_slice(layer, mip, axis)
    width, height = (
        n * step
        for other, (n, step) in enumerate(zip(box.size, layer.scale(mip).resolution, strict=True))
        if other != axis
    )
    said = {"plane": PLANES[2 - axis], "box": box, "width": float(width), "height": float(height)}
    try:
        voxels = layer.read(box, mip, fill_missing=True)[..., 0].squeeze(axis)
    except TeravoxError as error:
        return Thumbnail(**said, trouble=str(error))  # type: ignore[arg-type]  # the words above
    picture = paint_labels(voxels) if contrast is None else paint_gray(voxels, *contrast)[..., None]
    return Thumbnail(**said, png=encode_png(picture[:, :, None, :], 9))  # type: ignore[arg-type]  # the words above


def middle_slice(layer: Layer, mip: int, axis: int) -> Box:
    """One voxel thick, in the middle of the mip, and as wide as a picture may be; the same in nanometres on all axes."""
    bounds, resolution = layer.bounds(mip), layer.scale(mip).resolution
    x, y, z = (
        max(1, round(SIDE * min(resolution) / step)) if other != axis else 1 for other, step in enumerate(resolution)
    )
    return bounds.middle((x, y, z))
