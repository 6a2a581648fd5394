"""Where two layers are compared: where a third one is not 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.evaluation.same_voxels import say_resolution, times_larger
from teravox.pipeline.layers.layer import Layer, within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


class MaskLayer(NamedTuple):
    """A layer whose voxels may be larger than those that are compared."""

    layer: Layer
    mip: int
    factor: Vec

    @classmethod
    def open(cls, url: str, a: Layer, mip: int, *, fresh: bool) -> MaskLayer:
        """The mip of the mask whose voxels are those of A or the next larger ones that fit; BadUsage if none does."""
        layer = Layer.open(url, fresh=fresh)
        if layer.info.num_channels != 1:
            raise BadUsage(f"--mask: {layer.url} has {layer.info.num_channels} channels, and a mask has one")
        for other in range(len(layer.info.scales)):
            factor = times_larger(a, mip, layer, other)
            if factor is not None:
                return cls(layer, other, factor)
        sizes = ", ".join(say_resolution(layer, other) for other in range(len(layer.info.scales)))
        raise BadUsage(
            f"--mask: {layer.url} has voxels of {sizes} nm, and those of {a.place(mip)} are {say_resolution(a, mip)} nm: "
            "a mask's voxels must be as large, or a whole number of times larger"
        )

    def around(self, box: Box) -> Box:
        """A box of A's voxels in those of the mask."""
        low, high = (
            tuple(sign * (sign * n // f) for n, f in zip(corner, self.factor, strict=True))
            for corner, sign in ((box.min, 1), (box.max, -1))
        )
        return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))

    def read(self, box: Box, *, fill_missing: bool) -> Mask:
        """Where a box of A's voxels lies in the mask; beyond the bounds of the mask nothing does."""
        import numpy as np

        coarse = self.around(box)
        mask = np.zeros(coarse.size, np.bool_, order="F")
        shared = coarse.intersect(self.layer.bounds(self.mip))
        if not shared.is_empty:
            mask[within(shared, coarse)] = self.layer.read(shared, self.mip, fill_missing=fill_missing)[..., 0] != 0
        for axis, factor in enumerate(self.factor):
            if factor > 1:
                places = np.arange(box.min[axis], box.max[axis]) // factor - coarse.min[axis]
                mask = np.asfortranarray(mask.take(places, axis))
        return mask
