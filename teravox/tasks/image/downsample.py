"""`teravox image downsample`: the smaller mips of a layer."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.options import (
    Bounds,
    Compress,
    EncodingName,
    Factor,
    FillMissing,
    Layer,
    Memory,
    Mip,
    Shape,
    says,
)

if TYPE_CHECKING:
    from teravox.kernels.downsample import Method
    from teravox.pipeline.layers.info import Scale
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.layers.one_pass import Pass

LIBRARIES = 200_000_000  # bytes that the interpreter and the libraries take
COPIES = 5  # of each chunk that is on its way: voxels, encoded, packed, and what the codecs need


class Downsample(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Make the smaller mips of a layer, several in one pass.

    Cells are counted from the lower corner of the layer's bounds at --mip, whatever --bounds and --shape are; those
    that the upper faces cut off use the voxels that are there. So each piece makes whole chunks of every mip, and
    all pieces together make what downsampling the whole volume at once would. --bounds is grown to whole chunks.
    Averages of one pass are of the voxels of --mip, rounded to the nearest; labels take each mip from the one below.
    """

    layer: Layer
    mip: Mip = 0
    num_mips: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        says(
            "How many mips to make. Default: until one chunk covers the volume in x and y, as far as --memory allows; "
            "go on from there with --mip."
        ),
    ] = None
    factor: Factor = (2, 2, 1)
    method: Annotated[
        Literal["auto", "average", "mode", "min", "max", "stride"],
        says("How voxels become one; auto: the average of images, the most frequent label (mode) of segmentations."),
    ] = "auto"
    sparse: Annotated[bool, says("Let background (0) not count for averages and modes.")] = False
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: Shape = None
    memory_limit: Memory = 3_500_000_000
    compress: Compress = "gzip"
    encoding: Annotated[
        Literal["auto", EncodingName], says("How the new mips are encoded; auto: as the mip that they are made of.")
    ] = "auto"

    def prepare(self) -> None:
        from teravox.pipeline.layers.pyramid import add_scales

        plan = self._plan(fresh=True)
        last = self.mip + len(plan.above)
        if self.num_mips is None and len(plan.above) < plan.wanted:
            logging.getLogger(__name__).warning(
                "this pass makes %s up to mip %d; for more run it again with --mip %d, or give it more --memory",
                *(plan.layer.url, last, last),
            )
        add_scales(plan.layer, self.mip, self.factor, len(plan.above), self._encoding)

    def pieces(self) -> Sequence[Box]:
        return self._plan().grid

    def memory(self, piece: Box) -> int:
        plan = self._plan()
        return self._need(plan.layer, piece.size, plan.above)

    def run(self, piece: Box) -> None:
        from teravox.kernels.downsample import downsample

        plan = self._plan(fresh=True)
        layer = plan.layer
        mips = downsample(
            layer.read(piece, self.mip, fill_missing=self.fill_missing),
            self.factor,
            len(plan.above),
            self._method(layer),
            sparse=self.sparse,
        )
        for mip, _, box in plan.results(piece):
            layer.write(box, mip, mips.pop(0), compress=None if self.compress == "none" else self.compress)

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.layers.chunk_grid import chunk_key, chunks_of

        results = self._plan().results(piece)
        return [chunk_key(scale, chunk) for _, scale, box in results for chunk in chunks_of(scale, box)]

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.layer), "image downsample", msgspec.to_builtins(self))

    @property
    def _encoding(self) -> str | None:
        return None if self.encoding == "auto" else self.encoding

    def _method(self, layer: OpenLayer) -> Method:
        if self.method == "auto":
            return "mode" if layer.info.type == "segmentation" else "average"
        return self.method

    def _plan(self, *, fresh: bool = False) -> Pass:
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.layers.one_pass import Wish, plan_pass

        layer = OpenLayer.open(self.layer, fresh=fresh)
        self._check(layer)
        wish = Wish(
            mip=self.mip,
            factor=self.factor,
            mips=self.num_mips,
            encoding=self._encoding,
            bounds=self.bounds,
            shape=self.shape,
            memory=self.memory_limit,
        )
        return plan_pass(layer, wish, lambda size, above: self._need(layer, size, above))

    def _check(self, layer: OpenLayer) -> None:
        if min(self.factor) < 1 or math.prod(self.factor) == 1:
            raise BadUsage(f"--factor: expected three numbers from 1 up that are not all 1, got {self.factor}")
        if self.shape is not None and min(self.shape) < 1:
            raise BadUsage(f"--shape: expected three numbers from 1 up, got {self.shape}")
        method = self._method(layer)
        if method == "average" and layer.info.type == "segmentation":
            raise BadUsage(f"--method: {layer.url} is a segmentation, and labels have no average; take mode")
        if self.sparse and method not in ("average", "mode"):
            raise BadUsage(f"--sparse: it changes averages and modes, and --method is {method}; leave one of them out")

    def _need(self, layer: OpenLayer, size: Vec, above: tuple[Scale, ...]) -> int:
        """The voxels of the piece and of its mips, and the larger of what the kernel and the chunks on their way take."""
        from teravox.kernels.downsample import sizes_above, working_bytes

        channels, itemsize = layer.info.num_channels, layer.dtype.itemsize
        source = layer.scale(self.mip)
        voxels = math.prod(size) * (1 if source.sharding is None else 3)  # CloudVolume has a shard's chunks beside them
        results = sum(math.prod(sizes_above(size, self.factor, step)) for step in range(1, len(above) + 1))
        chunk = max(math.prod(scale.chunk) for scale in (source, *above)) * channels * itemsize
        kernel = working_bytes(
            size, channels, itemsize, self.factor, len(above), self._method(layer), sparse=self.sparse
        )
        return LIBRARIES + (voxels + results) * channels * itemsize + max(kernel, COPIES * chunk * layer.lanes)
