"""Reads the image round a box, so that its features can be computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.layer import within
from teravox.pipeline.segmentation.blocks import grow
from teravox.pipeline.segmentation.layer_input import LayerInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.segmentation.patches import Box as Spans


class Around(NamedTuple):
    """The image of a box and what is around it; all in z, y, x."""

    gray: NDArray[np.generic]
    kept: Spans  # where the box lies in it
    corner: Vec  # the place of its first voxel in the volume


def read_around(given: LayerInput, box: Box, margin: Vec) -> Around:
    """The image of a box with so many voxels around it, along z, y and x, as far as there are some."""
    z, y, x = margin
    wide = grow(box, (x, y, z)).intersect(given.layer.bounds(given.mip))
    x_span, y_span, z_span = ((part.start, part.stop) for part in within(box, wide))
    a, b, c = wide.min
    return Around(given.read(wide), (z_span, y_span, x_span), (c, b, a))
