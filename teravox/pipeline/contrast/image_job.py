"""What jobs have in common that make one mip of a grey image anew, in a layer of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.contrast.options import KeepBackground
from teravox.pipeline.job import Job
from teravox.pipeline.options import (
    Bounds,
    Compress,
    CompressLevel,
    Dest,
    EncodingLevel,
    EncodingName,
    FillMissing,
    Memory,
    Mip,
    Shape,
    Sharded,
    Source,
    says,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.contrast.plan import Plan
    from teravox.pipeline.layers.box_writer import BoxWriter
    from teravox.pipeline.layers.info import Scale
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.planning.traffic import Objects, Part, Traffic

    Array = NDArray[Any]  # of 8 or 16 bits without sign


class ImageJob(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """A job that makes every voxel of a mip anew; a kind says how.

    DEST gets one mip, with the size, place and resolution of --mip of the source. --bounds is grown to whole chunks,
    or to whole shards.
    """

    kind: ClassVar[str]
    grows_along: ClassVar[tuple[tuple[int, ...], ...]] = ((0, 1, 2),)

    source: Source
    dest: Dest
    mip: Mip = 0
    keep_background: KeepBackground = True
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: Shape = None
    memory_limit: Memory = 3_500_000_000
    encoding: Annotated[Literal["auto", EncodingName], says("How DEST is encoded; auto: as the source.")] = "auto"
    encoding_level: EncodingLevel = None
    chunk_size: Annotated[Vec | None, says("Size of a chunk of DEST, in voxels. Default: as the source.")] = None
    compress: Compress = "auto"
    compress_level: CompressLevel = None
    sharded: Sharded = False

    def check(self, layer: Layer) -> None:
        """Raise BadUsage where the options, or the options and the source, make no sense."""

    def make(self, layer: Layer, part: Box) -> Array:
        """The new voxels of a part: x, y, z and channel, in Fortran order."""
        raise NotImplementedError

    def making_bytes(self, layer: Layer, size: Vec) -> int:
        """The most bytes that `make` takes for a part of a size, its result and what is read among them."""
        raise NotImplementedError

    def new_type(self, layer: Layer) -> str:
        """The data type of DEST."""
        return layer.info.data_type

    def write_part(self, writer: BoxWriter, plan: Plan, part: Box) -> None:
        """Make a part and write it."""
        writer.write(part, self.make(plan.layer, part))

    def prepare(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer

        create_layer(self.dest, self.plan(fresh=True).raw)

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.say_shards import say_shards

        return say_shards(self._target()) if self.sharded else []

    def pieces(self) -> Sequence[Box]:
        return self.plan().grid

    def memory(self, piece: Box) -> int:
        plan = self.plan()
        x, y, z = map(min, plan.part, piece.size)
        return self._need(plan.layer, (x, y, z), plan.scale)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.layers.encoding import compression_of

        plan = self.plan(fresh=True)
        dest, mip = self._open_dest(plan)
        compress = compression_of(self.compress, plan.scale.encoding)
        with dest.writer(piece, mip, compress=compress, level=self.compress_level) as writer:
            for part in plan.parts(piece):
                self.write_part(writer, plan, part)

    def outputs(self, piece: Box) -> Sequence[str]:
        return self._target().keys(piece, 0)

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.layers.encoding import compression_of
        from teravox.pipeline.planning.traffic import Chunks, Traffic, info_of

        plan = self.plan()
        reads: list[Part] = [Chunks(plan.layer, self.mip, self.around(plan.layer, part)) for part in plan.parts(piece)]
        how = compression_of(self.compress, plan.scale.encoding)
        reads = [info_of(self.source), info_of(self.dest), *self.reads_besides(plan.parts(piece)), *reads]
        return Traffic(reads, [Chunks(self._target(), 0, piece, how)])

    def reads_besides(self, parts: Sequence[Box]) -> Sequence[Objects]:  # noqa: ARG002 - a kind may read more than voxels
        """What is read for the parts of a piece besides their voxels."""
        return []

    def around(self, layer: Layer, part: Box) -> Box:  # noqa: ARG002 - a kind may read more than it makes
        """What is read of the source for a part."""
        return part

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.dest), self.kind, msgspec.to_builtins(self))

    def plan(self, *, fresh: bool = False) -> Plan:
        """How it is done; the same for the same job and source."""
        from teravox.pipeline.contrast.grey import open_grey
        from teravox.pipeline.contrast.plan import plan_image
        from teravox.pipeline.layers.one_mip import Wish
        from teravox.pipeline.layers.same_place import refuse_same

        refuse_same(self.source, self.dest)
        layer = open_grey(self.source, fresh=fresh)
        layer.scale(self.mip)
        self.check(layer)
        wish = msgspec.convert(self, Wish, from_attributes=True)
        return plan_image(
            layer,
            wish,
            self.new_type(layer),
            lambda size, scale: self._need(layer, size, scale),
            self.grows_along,
        )

    def _target(self) -> Layer:
        """The destination as it is to be, whether it is there or not."""
        from teravox.pipeline.layers.info import encode_info
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.storage.open import open_store

        return Layer(open_store(self.dest), encode_info(self.plan().raw))

    def _need(self, layer: Layer, size: Vec, scale: Scale) -> int:
        """Libraries, what is made, chunks and parts of shards on their way, and shards that are not whole yet."""
        from teravox.pipeline.contrast.plan import itemsize
        from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes
        from teravox.pipeline.layers.one_mip import shard_bytes

        chunk = max(math.prod(layer.scale(self.mip).chunk), math.prod(scale.chunk))
        voxel = layer.info.num_channels * max(itemsize(layer.info.data_type), itemsize(self.new_type(layer)))
        held = shard_bytes(scale, self.dest, voxel)
        fetched = fetching_bytes(layer.scale(self.mip), voxel, layer.bounds(self.mip).voxels)
        on_the_way = math.ceil(COPIES * chunk * voxel * layer.lanes + fetched)
        return LIBRARIES + self.making_bytes(layer, size) + on_the_way + held

    def _open_dest(self, plan: Plan) -> tuple[Layer, int]:
        """The destination and the number that its mip has there."""
        from teravox.pipeline.errors import Fatal
        from teravox.pipeline.layers.layer import Layer

        dest = Layer.open(self.dest)
        for mip, scale in enumerate(dest.info.scales):
            if scale == plan.scale:
                return dest, mip
        raise Fatal(f"layer {dest.url} no longer has the scale {plan.scale.key} that was made for this job")
