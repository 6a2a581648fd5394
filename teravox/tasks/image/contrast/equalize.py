"""`teravox image contrast equalize`: the values of each slice, stretched to the full range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.contrast.image_job import ImageJob
from teravox.pipeline.contrast.options import LevelsPlace
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.contrast.levels import Levels
    from teravox.pipeline.contrast.plan import Plan
    from teravox.pipeline.layers.box_writer import BoxWriter
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.planning.traffic import Objects

    Array = NDArray[Any]  # of 8 or 16 bits without sign

A_COUNT = 100  # bytes that a number of a slice's levels takes while it is decoded
A_STORED_COUNT = 24  # bytes that it takes in a file that is read: packed, unpacked, and cut into slices

Fraction = Annotated[float, Meta(ge=0, lt=1)]


class Equalize(ImageJob, frozen=True):
    """Stretch the values of each slice of an image to the full range.

    Of the voxels of a slice the darkest part --clip-low becomes --min-value, the brightest part --clip-high becomes
    --max-value, and what lies between is spread evenly. Where these parts end, the levels of `image contrast
    histogram` say, which must be there. A slice in which nothing was counted, or one value only, stays as it is.
    DEST gets one mip, with the size, place and resolution of --mip of the source. --bounds is grown to whole chunks,
    or to whole shards.

        teravox image contrast equalize ./em ./em-even --smooth 3
    """

    kind: ClassVar[str] = "image contrast equalize"

    clip_low: Annotated[Fraction, says("Part of the voxels of a slice that becomes --min-value.")] = 0.01
    clip_high: Annotated[Fraction, says("Part of the voxels of a slice that becomes --max-value.")] = 0.01
    min_value: Annotated[int, Meta(ge=0), says("Value of the darkest voxels of a slice.")] = 0
    max_value: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        says("Value of the brightest voxels of a slice. Default: what the data type of DEST can hold."),
    ] = None
    smooth: Annotated[
        int,
        Meta(ge=0, le=1000),
        says("Take the mean of the limits of so many slices above and below each slice, too, against flicker."),
    ] = 0
    data_type: Annotated[Literal["auto", "uint8", "uint16"], says("Data type of DEST; auto: as the source.")] = "auto"
    levels: LevelsPlace = None

    def check(self, layer: Layer) -> None:
        if self.clip_low + self.clip_high >= 1:
            raise BadUsage(
                f"--clip-low and --clip-high: together they must leave something, got {self.clip_low} and {self.clip_high}"
            )
        most = self._most(layer)
        holds = 255 if self.new_type(layer) == "uint8" else 65535
        if not self.min_value < most <= holds:
            raise BadUsage(
                f"--min-value and --max-value: {self.new_type(layer)} holds 0 to {holds:,}, and the first must be the "
                f"smaller one, got {self.min_value:,} and {most:,}"
            )

    def new_type(self, layer: Layer) -> str:
        return layer.info.data_type if self.data_type == "auto" else self.data_type

    def prepare(self) -> None:
        plan = self.plan(fresh=True)
        bounds = plan.grid.bounds
        self._levels(plan.source).check(range(bounds.min[2], bounds.max[2]))
        super().prepare()

    def write_part(self, writer: BoxWriter, plan: Plan, part: Box) -> None:
        """Chunk by chunk where those of DEST are those of the source, so that nothing is put together and cut again."""
        if plan.scale.chunk != plan.source.scale(self.mip).chunk:
            super().write_part(writer, plan, part)
            return
        import numpy as np

        from teravox.kernels.stretch import look_up
        from teravox.pipeline.layers.chunk_grid import chunks_of
        from teravox.pipeline.layers.chunk_source import ChunkSource

        tables = self._tables(plan.source, part)

        def stretch(chunk: Box, found: Array | None) -> None:
            if found is None:
                found = np.zeros((*chunk.size, plan.source.info.num_channels), plan.source.dtype, order="F")
            writer.write(chunk, look_up(found, tables[chunk.min[2] - part.min[2] : chunk.max[2] - part.min[2]]))

        source = ChunkSource(plan.source, self.mip, fill_missing=self.fill_missing)
        source.for_each(chunks_of(plan.scale, part), stretch)

    def make(self, layer: Layer, part: Box) -> Array:
        from teravox.kernels.stretch import look_up

        return look_up(layer.read(part, self.mip, fill_missing=self.fill_missing), self._tables(layer, part))

    def making_bytes(self, layer: Layer, size: Vec) -> int:
        from teravox.pipeline.contrast.plan import itemsize

        source, dest = itemsize(layer.info.data_type), itemsize(self.new_type(layer))
        voxels = size[0] * size[1] * size[2] * layer.info.num_channels
        values = 1 << 8 * source
        tables = (size[2] * dest + A_COUNT) * layer.info.num_channels * values
        file = A_STORED_COUNT * layer.scale(self.mip).chunk[2] * layer.info.num_channels * values
        return voxels * (source + dest) + tables + file

    def reads_besides(self, parts: Sequence[Box]) -> Sequence[Objects]:
        from teravox.pipeline.planning.traffic import Objects

        levels = self._levels(self.plan().source)
        return [Objects(self.levels or self.source, levels.keys(self._near(levels, part))) for part in parts]

    def _near(self, levels: Levels, part: Box) -> list[int]:
        """The slices whose levels count for a part."""
        first, end = part.min[2], part.max[2]
        return [z for z in range(first - self.smooth, end + self.smooth) if first <= z < end or levels.has(z)]

    def _tables(self, layer: Layer, part: Box) -> Array:
        """What every value becomes, by slice and channel."""
        import numpy as np

        from teravox.kernels.stretch import Limits, find_limits, make_table, smooth_limits

        first, end = part.min[2], part.max[2]
        levels = self._levels(layer)
        near = self._near(levels, part)
        channels = layer.info.num_channels
        limits: list[dict[int, Limits | None]] = [{} for _ in range(channels)]
        for z, counts in levels.read(near, layer.info.data_type, channels):
            for channel, row in enumerate(counts):
                if self.keep_background:
                    row[0] = 0
                limits[channel][z] = find_limits(row, self.clip_low, self.clip_high)
        dtype = np.dtype(self.new_type(layer))
        tables = np.empty((end - first, channels, np.iinfo(layer.dtype).max + 1), dtype)
        for z in range(first, end):
            for channel in range(channels):
                found = smooth_limits(limits[channel], z, self.smooth)
                tables[z - first, channel] = make_table(found, self.min_value, self._most(layer), layer.dtype, dtype)
        if self.keep_background:
            tables[:, :, 0] = 0
        return tables

    def _most(self, layer: Layer) -> int:
        if self.max_value is not None:
            return self.max_value
        return 255 if self.new_type(layer) == "uint8" else 65535

    def _levels(self, layer: Layer) -> Levels:
        from teravox.pipeline.contrast.levels import Levels
        from teravox.pipeline.storage.open import open_store

        return Levels(open_store(self.levels or self.source), self.mip, layer.url)
