"""`teravox image roi`: the boxes of a volume that are not empty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.options import Bounds, FillMissing, Layer, Memory, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.planning.traffic import Traffic

SHOWN = 20  # boxes in the report


class Roi(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Find the boxes of a volume that are not empty.

    It looks at a small mip, in one task, for connected parts whose voxels are larger than --suppress-faint in any
    channel, and writes the boxes around them, in voxels of mip 0, to LAYER/stats/rois/KEY.json, where KEY is that of
    the mip's scale. Boxes are half-open, and may overlap.

        teravox image roi ./em --suppress-faint 20 --dust 100
    """

    layer: Layer
    mip: Annotated[
        Annotated[int, Meta(ge=0)] | None, says("Level of the pyramid to look at. Default: the smallest.")
    ] = None
    suppress_faint: Annotated[float, Meta(ge=0), says("Largest value of a voxel that counts as empty.")] = 0
    dust: Annotated[int, Meta(ge=0), says("Leave out parts of fewer voxels than this, counted at --mip.")] = 10
    to_info: Annotated[
        bool,
        says("Write the boxes into the info, too; CloudVolume and Igneous then read what lies outside as background."),
    ] = False
    fill_missing: FillMissing = False
    bounds: Bounds = None
    memory_limit: Memory = 3_500_000_000

    def prepare(self) -> None:
        self._open(fresh=True)

    def pieces(self) -> Sequence[Box]:
        layer, mip = self._open()
        box = self._box(layer, mip)
        return Grid(box, box.size)

    def memory(self, piece: Box) -> int:
        layer, mip = self._open()
        return _bytes_needed(layer, mip, piece)

    def run(self, piece: Box) -> None:
        from teravox.kernels.filled_boxes import filled_boxes
        from teravox.pipeline.rois import Roi as Found
        from teravox.pipeline.rois import Rois, full_size, write_rois

        layer, mip = self._open(fresh=True)
        voxels = layer.read(piece, mip, fill_missing=self.fill_missing)
        found = [
            Found(full_size(layer, mip, Box(part.min, part.max).shift(piece.min)), part.voxels)
            for part in filled_boxes(voxels, self.suppress_faint, self.dust)
        ]
        write_rois(
            layer,
            Rois(mip=mip, bounds=piece, suppress_faint=self.suppress_faint, dust=self.dust, rois=tuple(found)),
        )

    def outputs(self, piece: Box) -> Sequence[str]:  # noqa: ARG002 - there is one piece
        from teravox.pipeline.rois import rois_key

        return [rois_key(*self._open())]

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        layer, mip = self._open()
        return Traffic([info_of(self.layer), Chunks(layer, mip, piece)], [Objects(self.layer, self.outputs(piece))])

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.rois import read_rois, write_to_info

        layer, mip = self._open(fresh=True)
        if self.to_info:
            write_to_info(layer, read_rois(layer, mip))
        record_processing(layer.store, "image roi", msgspec.to_builtins(self))

    def report(self) -> str:
        from teravox.pipeline.rois import read_rois, rois_key

        layer, mip = self._open()
        rois = read_rois(layer, mip).rois
        lines = [str(roi.box) for roi in rois[:SHOWN]]
        lines += [f"and {len(rois) - SHOWN:,} more"] if len(rois) > SHOWN else []
        boxes = "1 box is" if len(rois) == 1 else f"{len(rois):,} boxes are"
        return "\n".join([*lines, f"{boxes} not empty; see {layer.url}/{rois_key(layer, mip)}."])

    def _open(self, *, fresh: bool = False) -> tuple[OpenLayer, int]:
        """The layer, and the mip to look at."""
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.units import say_bytes

        layer = OpenLayer.open(self.layer, fresh=fresh)
        mip = len(layer.info.scales) - 1 if self.mip is None else self.mip
        need = _bytes_needed(layer, mip, self._box(layer, mip))
        if need > self.memory_limit:
            raise BadUsage(
                f"looking at {layer.place(mip)} at once needs {say_bytes(need)}, and --memory allows "
                f"{say_bytes(self.memory_limit)}: make smaller mips by teravox image downsample, or give it more --memory"
            )
        return layer, mip

    def _box(self, layer: OpenLayer, mip: int) -> Box:
        whole = layer.bounds(mip)
        box = whole if self.bounds is None else self.bounds.intersect(whole)
        if box.is_empty:
            raise BadUsage(f"--bounds: {self.bounds} lies outside of {layer.place(mip)}, which is {whole}")
        return box


def _bytes_needed(layer: OpenLayer, mip: int, box: Box) -> int:
    from teravox.kernels.filled_boxes import WORKING
    from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes

    scale = layer.scale(mip)
    voxel = layer.info.num_channels * layer.info.itemsize
    chunks = COPIES * layer.lanes * math.prod(scale.chunk) * voxel
    return LIBRARIES + box.voxels * (voxel + WORKING) + chunks + math.ceil(fetching_bytes(scale, voxel, box.voxels))
