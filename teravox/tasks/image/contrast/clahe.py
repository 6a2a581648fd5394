"""`teravox image contrast clahe`: the contrast of each slice, evened out place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from msgspec import Meta

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.contrast.image_job import ImageJob
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.kernels.clahe import Axis
    from teravox.pipeline.layers.layer import Layer

    Array = NDArray[Any]  # of 8 or 16 bits without sign

Side = Annotated[int, Meta(ge=1)]


class Clahe(ImageJob, frozen=True):
    """Even out the contrast of each slice of an image, tile by tile (CLAHE).

    Contrast limited adaptive histogram equalization, as OpenCV defines it: each tile of a slice is equalized by its own
    histogram, and a voxel is blended from the four nearest tiles. Tiles are counted from the lower corner of the volume,
    and a task reads what it needs around its box: so neither tiles nor tasks show, and the result is the same for any
    --shape. Background, if kept, does not count in a tile; a tile of background only changes nothing.
    DEST gets one mip, with the size, place and resolution of --mip of the source. --bounds is grown to whole chunks,
    or to whole shards.

        teravox image contrast clahe ./em ./em-even --tile-size 256,256
    """

    kind: ClassVar[str] = "image contrast clahe"
    grows_along: ClassVar[tuple[tuple[int, ...], ...]] = ((0, 1), (2,))

    tile_size: Annotated[
        tuple[Side, Side], says("Size of a tile in x,y, in voxels of --mip; larger than what is to be made visible.")
    ] = (256, 256)
    clip_limit: Annotated[
        float,
        Meta(gt=0),
        says("How often a value may count, as a multiple of the mean; the higher, the more contrast and noise."),
    ] = 2.0

    def make(self, layer: Layer, part: Box) -> Array:
        import itertools

        import numpy as np

        from teravox.kernels.clahe import equalize_slice
        from teravox.pipeline.storage.side_by_side import do_all

        x, y = self._axes(layer, part)
        voxels = layer.read(self.around(layer, part), self.mip, fill_missing=self.fill_missing)
        result = np.empty((*part.size, voxels.shape[3]), voxels.dtype, order="F")

        def equalize(at: tuple[int, int]) -> None:
            place = (slice(None), slice(None), *at)
            equalize_slice(voxels[place], x, y, self.clip_limit, result[place], keep_background=self.keep_background)

        do_all(equalize, itertools.product(range(part.size[2]), range(voxels.shape[3])), layer.lanes)
        return result

    def around(self, layer: Layer, part: Box) -> Box:
        x, y = self._axes(layer, part)
        corner = layer.bounds(self.mip).min
        (x0, x1), (y0, y1) = x.span(), y.span()
        return Box((x0 + corner[0], y0 + corner[1], part.min[2]), (x1 + corner[0], y1 + corner[1], part.max[2]))

    def making_bytes(self, layer: Layer, size: Vec) -> int:
        from teravox.pipeline.contrast.plan import itemsize

        whole, voxel = layer.bounds(self.mip).size, itemsize(layer.info.data_type)
        values = 1 << 8 * voxel
        around, maps = size[2] * layer.info.num_channels, values
        for axis, tile in enumerate(self.tile_size):
            around *= min(whole[axis], size[axis] + 3 * tile)
            maps *= min(-(-whole[axis] // tile), size[axis] // tile + 3)
        result = size[0] * size[1] * size[2] * layer.info.num_channels
        return (around + result) * voxel + layer.lanes * (maps * voxel + values * 8)

    def _axes(self, layer: Layer, part: Box) -> tuple[Axis, Axis]:
        """The part of a slice that is made, along x and y."""
        from teravox.kernels.clahe import Axis

        whole = layer.bounds(self.mip)
        x, y = (
            Axis(
                part.min[axis] - whole.min[axis],
                part.max[axis] - whole.min[axis],
                self.tile_size[axis],
                whole.size[axis],
            )
            for axis in (0, 1)
        )
        return x, y
