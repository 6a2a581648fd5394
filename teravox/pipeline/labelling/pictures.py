"""Tiles of the image and of the labels, as bytes that the page paints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.labelling.kept_chunks import KeptChunks
from teravox.pipeline.labelling.painting import Painting
from teravox.pipeline.labelling.planes import PLANES, Tile, flatten
from teravox.pipeline.labelling.supervoxel_regions import SupervoxelRegions
from teravox.pipeline.layers.info import Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type


class Look(msgspec.Struct, frozen=True):
    """Which channel is shown, and the values that black and white stand for."""

    channel: int = 0
    low: float = 0.0
    high: float = 255.0


def draw_image(chunks: KeptChunks, tile: Tile, look: Look) -> bytes:
    """The grey values of a tile, from 0 to 255, row by row."""
    import numpy as np

    box = tile.box(chunks.layer.scale(tile.mip))
    voxels = chunks.read(box, tile.mip)
    values = flatten(voxels[..., look.channel], tile.plane)
    if look.low == 0 and look.high == 255 and values.dtype == np.uint8:
        return values.tobytes()
    span = (look.high - look.low) or 1.0
    with np.errstate(all="ignore"):  # of what is no number
        grey = np.clip((values.astype(np.float64) - look.low) * (255 / span), 0, 255)
    return np.nan_to_num(grey).astype(np.uint8).tobytes()


def draw_labels(painting: Painting, tile: Tile, scale: Scale) -> bytes:
    """The classes of a tile of a scale of the image, row by row; where it is coarse, whatever lies in a pixel shows."""
    import numpy as np

    box = tile.box(scale)
    ours = painting.labels.scale
    times = [coarse / fine for coarse, fine in zip(scale.resolution, ours.resolution, strict=True)]
    low = [int(np.floor(at * n)) for at, n in zip(box.min, times, strict=True)]
    high = [int(np.ceil(at * n)) for at, n in zip(box.max, times, strict=True)]
    wanted = Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).intersect(ours.bounds)
    plane = PLANES[tile.plane]
    drawn = np.zeros((box.size[plane.row], box.size[plane.column]), np.uint8)
    for chunk in [] if wanted.is_empty else painting.chunks_in(wanted):
        shared = chunk.intersect(wanted)
        labels = painting.read(shared)
        places = np.nonzero(labels)
        rows, columns = (
            np.floor((places[axis] + shared.min[axis] + 0.5) / times[axis]).astype(np.int64) - box.min[axis]
            for axis in (plane.row, plane.column)
        )
        inside = (rows >= 0) & (rows < drawn.shape[0]) & (columns >= 0) & (columns < drawn.shape[1])
        drawn[rows[inside], columns[inside]] = labels[places][inside]
    return drawn.tobytes()


def draw_outlines(regions: SupervoxelRegions, tile: Tile, scale: Scale) -> bytes:
    """Where another supervoxel begins to the right or below: 1, row by row."""
    import numpy as np

    box = tile.box(scale)
    numbers = flatten(regions.of(box).part(box).T, tile.plane)
    drawn = np.zeros(numbers.shape, np.uint8)
    drawn[:, :-1] |= numbers[:, :-1] != numbers[:, 1:]
    drawn[:-1] |= numbers[:-1] != numbers[1:]
    return drawn.tobytes()
