"""A slice of some layers as one picture, side by side: what a notebook shows in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box
from teravox.pipeline.layers.layer import Layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

GAP = 8  # pixels between two slices
GOLDEN = 0.618033988749895  # steps of this share round the circle of hues keep neighbours apart
LEAST = 240  # pixels that a slice is at least wide: small ones are shown larger


def draw_slices(*layers: str, z: int | None = None, mip: int = 0) -> Image:
    """Slice `z` of layers, in voxels of `mip`, side by side; the middle one of the first layer by default.

    Grey values are spread over what is in the slice; segments get colours, and what has no label is black.
    """
    import numpy as np
    from PIL import Image

    opened = [Layer.open(layer) for layer in layers]
    low, high = opened[0].bounds(mip).min[2], opened[0].bounds(mip).max[2]
    where = (low + high) // 2 if z is None else z
    planes = [_draw(layer, where, mip) for layer in opened]
    height = max(len(plane) for plane in planes)
    parts: list[NDArray[np.uint8]] = []
    for plane in planes:
        below = np.full((height - len(plane), plane.shape[1], 3), 255, np.uint8)
        parts += [np.full((height, GAP, 3), 255, np.uint8), np.concatenate([plane, below])]
    picture = Image.fromarray(np.concatenate(parts[1:], axis=1))
    times = -(-LEAST // planes[0].shape[1])
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _draw(layer: Layer, z: int, mip: int) -> NDArray[np.uint8]:
    """Rows, columns and red, green, blue."""
    x0, y0, z0 = layer.bounds(mip).min
    x1, y1, z1 = layer.bounds(mip).max
    plane = layer.read(
        Box((x0, y0, min(max(z, z0), z1 - 1)), (x1, y1, min(max(z, z0), z1 - 1) + 1)), mip, fill_missing=True
    )
    voxels = plane[:, :, 0, 0].T
    return _color(voxels) if layer.info.type == "segmentation" else _grey(voxels)


def _grey(voxels: NDArray[Any]) -> NDArray[np.uint8]:  # Any: of the layer's data type
    import numpy as np

    low, high = np.percentile(voxels, [0.5, 99.5])
    spread = np.clip((voxels.astype(float) - low) / max(high - low, 1e-9), 0, 1)
    return np.repeat((255 * spread).astype(np.uint8)[..., np.newaxis], 3, axis=2)


def _color(labels: NDArray[Any]) -> NDArray[np.uint8]:  # Any: as above
    import colorsys

    import numpy as np

    found, places = np.unique(labels, return_inverse=True)
    hues = [int(label) * GOLDEN % 1 for label in found]
    colors = [
        (0, 0, 0) if not label else tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.7, 0.95))
        for label, hue in zip(found.tolist(), hues, strict=True)
    ]
    return np.array(colors, np.uint8)[places].reshape(*labels.shape, 3)
