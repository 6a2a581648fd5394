"""`teravox image transfer`: a copy of a layer, as it is or in another form."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Vec
from teravox.pipeline.layers.transfer.job import CopyJob
from teravox.pipeline.layers.transfer.wish import FACTOR, Wish
from teravox.pipeline.options import (
    Bounds,
    ChunkSize,
    Compress,
    CompressLevel,
    Dest,
    EncodingEffort,
    EncodingLevel,
    EncodingName,
    Factor,
    FillMissing,
    Memory,
    Mip,
    Shape,
    Sharded,
    Source,
    says,
)


class Transfer(CopyJob, frozen=True, rename={"memory_limit": "memory"}):
    """Copy a layer, as it is or in another form.

    A part can be cut out, moved, encoded, chunked or sharded anew, and get smaller mips on the way. Chunks whose grid and
    encoding stay are copied without decoding them and, unless --compress says how, without compressing them anew.
    The copy is sharded only with --sharded, whatever the source is: a sharded layer is unsharded by copying it.
    With --bounds, chunks begin at the corner of what is cut out. Meshes, skeletons and segment properties are not copied.
    """

    source: Source
    dest: Dest
    mip: Mip = 0
    all_mips: Annotated[bool, says("Copy the mips above --mip too, as they are in the source.")] = False
    num_mips: Annotated[
        int, Meta(ge=0), says("How many mips to make above the copy on the way, by downsampling it.")
    ] = 0
    factor: Factor = FACTOR
    method: Annotated[
        Literal["auto", "average", "mode", "min", "max", "stride"],
        says(
            "How voxels become one for --num-mips; auto: the average of images, the most frequent label (mode) of "
            "segmentations."
        ),
    ] = "auto"
    sparse: Annotated[bool, says("Let background (0) not count for averages and modes.")] = False
    bounds: Bounds = None
    translate: Annotated[Vec, says("How far the copy is moved, as x,y,z in voxels of --mip.")] = (0, 0, 0)
    offset: Annotated[
        Vec | None, says("Where the copy begins: the place of its first voxel, as x,y,z in voxels of --mip.")
    ] = None
    encoding: Annotated[Literal["auto", EncodingName], says("How the copy is encoded; auto: as the source.")] = "auto"
    encoding_level: EncodingLevel = None
    encoding_effort: EncodingEffort = None
    compress: Compress = "auto"
    compress_level: CompressLevel = None
    chunk_size: Annotated[ChunkSize | None, says("Size of a chunk of the copy. Default: that of the source.")] = None
    sharded: Sharded = False
    fill_missing: FillMissing = False
    skip_background: Annotated[
        bool, says("Leave out chunks that are all background (0); to read the copy then takes --fill-missing.")
    ] = False
    shape: Shape = None
    memory_limit: Memory = 3_500_000_000

    def wish(self) -> Wish:
        return msgspec.convert(self, Wish, from_attributes=True)

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.dest), "image transfer", msgspec.to_builtins(self))
