"""What jobs have in common that make one mip of a grey image anew, in a layer of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.contrast.options import KeepBackground
from teravox.pipeline.layers.one_mip_job import OneMipJob
from teravox.pipeline.options import Bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.contrast.plan import Plan
    from teravox.pipeline.layers.box_writer import BoxWriter
    from teravox.pipeline.layers.info import Scale
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.planning.traffic import Objects, Part

    Array = NDArray[Any]  # of 8 or 16 bits without sign


class ImageJob(OneMipJob, frozen=True):
    """A job that makes every voxel of a mip anew; a kind says how.

    DEST gets one mip, with the size, place and resolution of --mip of the source. --bounds is grown to whole chunks,
    or to whole shards.
    """

    grows_along: ClassVar[tuple[tuple[int, ...], ...]] = ((0, 1, 2),)

    keep_background: KeepBackground = True
    bounds: Bounds = None

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
        writer.write(part, self.make(plan.source, part))

    def memory(self, piece: Box) -> int:
        plan = self.plan()
        x, y, z = map(min, plan.part, piece.size)
        return self._need(plan.source, (x, y, z), plan.scale)

    def run(self, piece: Box) -> None:
        plan = self.plan(fresh=True)
        dest, mip = self.open_dest(plan)
        with dest.writer(piece, mip, compress=self.compression(plan), level=self.compress_level) as writer:
            for part in plan.parts(piece):
                self.write_part(writer, plan, part)

    def reads(self, piece: Box) -> Sequence[Part]:
        from teravox.pipeline.planning.traffic import Chunks

        plan = self.plan()
        parts = plan.parts(piece)
        voxels = [Chunks(plan.source, self.mip, self.around(plan.source, part)) for part in parts]
        return [*self.reads_besides(parts), *voxels]

    def reads_besides(self, parts: Sequence[Box]) -> Sequence[Objects]:  # noqa: ARG002 - a kind may read more than voxels
        """What is read for the parts of a piece besides their voxels."""
        return []

    def around(self, layer: Layer, part: Box) -> Box:  # noqa: ARG002 - a kind may read more than it makes
        """What is read of the source for a part."""
        return part

    def plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.contrast.grey import open_grey
        from teravox.pipeline.contrast.plan import plan_image

        wish = self.wish()
        layer = open_grey(self.source, fresh=fresh)
        layer.scale(self.mip)
        self.check(layer)
        return plan_image(
            layer,
            wish,
            self.new_type(layer),
            lambda size, scale: self._need(layer, size, scale),
            self.grows_along,
        )

    def _need(self, layer: Layer, size: Vec, scale: Scale) -> int:
        """What is made, and what it takes to move its chunks."""
        from teravox.pipeline.contrast.plan import itemsize
        from teravox.pipeline.layers.one_mip import moving_bytes

        voxel = layer.info.num_channels * max(itemsize(layer.info.data_type), itemsize(self.new_type(layer)))
        voxels = layer.bounds(self.mip).voxels
        moved = moving_bytes(layer, self.mip, scale, self.dest, voxel_bytes=voxel, voxels=voxels)
        return moved + self.making_bytes(layer, size)
