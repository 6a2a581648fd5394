"""`teravox create`: a layer of files that are none yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.layers.info import DataType
from teravox.pipeline.options import (
    ChunkSize,
    Compress,
    CompressLevel,
    Dest,
    EncodingEffort,
    EncodingLevel,
    EncodingName,
    FillMissing,
    Memory,
    Mip,
    Resolution,
    Shape,
    Sharded,
    says,
)

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.planning.traffic import Traffic
    from teravox.pipeline.sources.plan import Plan
    from teravox.pipeline.sources.source import Source
    from teravox.pipeline.sources.volume import Volume

LOG = logging.getLogger(__name__)

INDICES = "create/gzip-"  # keys in DEST of what helps to find one's place in packed files, as long as the job lasts


class Create(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Make a layer of an image or segmentation in another format.

    SOURCE can be a .npy, .h5, .nii, .nii.gz, .nrrd, .nhdr, .tif or .ckl file; a folder of TIFF, PNG or JPEG slices, or a
    pattern of their names in quotes; a Zarr, OME-Zarr or N5 folder or URL; another Precomputed layer; or the bodies of a
    Graphene volume, graphene://https://SERVER/segmentation/table/NAME.
    Only those parts of it are read that a task needs, so that memory does not depend on the size of SOURCE.
    What its metadata say of voxel size and place is taken over, unless an option says otherwise.
    Workers read SOURCE from the same path: put it where all of them see it.
    """

    source: Annotated[
        str,
        says(
            "File, folder, pattern of slices in quotes, or URL to read; nothing is written to it.",
            form="file",
            positional=True,
        ),
    ]
    dest: Dest
    resolution: Annotated[
        Resolution | None,
        says("Size of a voxel in nanometres, in x,y,z; decimals are allowed. Default: what SOURCE says."),
    ] = None
    offset: Annotated[
        Vec | None,
        says("Place of the first voxel of SOURCE in DEST, as x,y,z in voxels. Default: what SOURCE says, or 0,0,0."),
    ] = None
    bounds: Annotated[
        Box | None,
        says(
            "Part of SOURCE to take, as x0,y0,z0:x1,y1,z1 in voxels of DEST, so counted with --offset. Default: all of it."
        ),
    ] = None
    axes: Annotated[
        str | None,
        says(
            "What the axes of SOURCE are, the slowest in a C-ordered file first: x, y, z, c (channel) and t (time), like zyx "
            "or zcyx. Default: what SOURCE says, else so that x lies closest together."
        ),
    ] = None
    dataset: Annotated[
        str | None,
        says("Which data set of an HDF5, Zarr or N5 group, or image of a TIFF by its number. Default: the only one."),
    ] = None
    mip: Annotated[
        Mip, says("Which level to read of an OME-Zarr, N5, TIFF or Precomputed pyramid; 0 is full size.")
    ] = 0
    time: Annotated[
        Annotated[int, Meta(ge=0)] | None, says("Which time point to read, where SOURCE has several; 0 is the first.")
    ] = None
    type: Annotated[
        Literal["auto", "image", "segmentation"],
        says(
            "What DEST is. auto: a segmentation where SOURCE has one channel of 32- or 64-bit integers, else an image."
        ),
    ] = "auto"
    data_type: Annotated[
        Literal["auto", DataType],
        says(
            "Data type of DEST; values that do not fit are refused, fractions are rounded. auto: that of SOURCE, bool as uint8."
        ),
    ] = "auto"
    encoding: Annotated[
        Literal["auto", EncodingName],
        says("How chunks are encoded. auto: compressed_segmentation for segmentations of uint32 and uint64, else raw."),
    ] = "auto"
    encoding_level: EncodingLevel = None
    encoding_effort: EncodingEffort = None
    chunk_size: ChunkSize = (128, 128, 64)
    compress: Compress = "auto"
    compress_level: CompressLevel = None
    sharded: Sharded = False
    missing_slices: Annotated[
        Literal["fail", "blank", "repeat"],
        says(
            "What becomes of slices that are missing in the numbers of files, or cannot be read. "
            "blank: background; repeat: the nearest one before."
        ),
    ] = "fail"
    timestamp: Annotated[
        str | None,
        says(
            "Moment whose bodies are read of a Graphene volume, like 2026-01-31T12:00Z; supervoxels: the pieces that its "
            "bodies are made of. Such a volume needs it, others refuse it."
        ),
    ] = None
    fill_missing: FillMissing = False
    shape: Annotated[
        Shape, says("Size of a piece, in voxels of DEST. Default: by --memory, and by how SOURCE can be read.")
    ] = None
    memory_limit: Memory = 3_500_000_000

    def prepare(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer

        self._refuse_dest_in_source()
        with self._open() as volume:
            volume.source.check()
            plan = self._plan_of(volume)
            for sentence in plan.said:
                LOG.warning("%s", sentence)
            create_layer(self.dest, plan.raw)
            if len(plan.grid) > 2:
                self._keep_index(volume.source)
        _plan.cache_clear()

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.say_shards import say_shards

        return say_shards(self._target()) if self.sharded else []

    def pieces(self) -> Sequence[Box]:
        return _plan(self).grid

    def memory(self, piece: Box) -> int:
        return _plan(self).memory(piece)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.sources.fill import fill

        layer = Layer.open(self.dest, fresh=True)
        with self._open() as volume:
            plan = self._plan_of(volume)
            if layer.info.scales[0] != plan.scale or layer.info.num_channels != volume.channels:
                raise BadInput(
                    f"{layer.url} is not as this job prepared it, or {volume.source.place} has changed since: make the job anew"
                )
            self._use_index(volume.source)
            fill(layer, volume, plan, piece, self.compress, self.compress_level)

    def outputs(self, piece: Box) -> Sequence[str]:
        return self._target().keys(piece, 0)

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.layers.encoding import compression_of
        from teravox.pipeline.planning.traffic import Bytes, Chunks, Traffic, info_of

        plan = _plan(self)
        how = compression_of(self.compress, plan.scale.encoding)
        source = Bytes(piece.voxels * plan.costs.voxel, 1)  # as if it were not packed
        return Traffic([info_of(self.dest), source], [Chunks(self._target(), 0, piece, how)])

    def foresee(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer

        create_layer(self.dest, _plan(self).raw)

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.folders import remove_empty_folders
        from teravox.pipeline.storage.open import open_store

        store = open_store(self.dest)
        record_processing(store, "create", msgspec.to_builtins(self))
        store.delete(store.list(INDICES))
        remove_empty_folders(store, INDICES.partition("/")[0])

    def _open(self) -> Volume:
        from teravox.pipeline.sources.open import open_source
        from teravox.pipeline.sources.source import Choice
        from teravox.pipeline.sources.volume import Volume

        choice = Choice(
            dataset=self.dataset,
            mip=self.mip,
            missing_slices=self.missing_slices,
            fill_missing=self.fill_missing,
            timestamp=self.timestamp,
        )
        source = open_source(self.source, choice)
        try:
            return Volume(source, axes=self.axes, time=self.time)
        except BaseException:
            source.close()
            raise

    def _target(self) -> Layer:
        """The destination as it is to be, whether it is there or not."""
        from teravox.pipeline.layers.info import encode_info
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.storage.open import open_store

        return Layer(open_store(self.dest), encode_info(_plan(self).raw))

    def _plan_of(self, volume: Volume) -> Plan:
        from teravox.pipeline.sources.plan import make_plan
        from teravox.pipeline.sources.target import Wanted, make_target

        wanted = Wanted(**{name: getattr(self, name) for name in Wanted.__struct_fields__})
        return make_plan(
            volume,
            make_target(volume, wanted),
            self.dest,
            memory=self.memory_limit,
            shape=self.shape,
            sharded=self.sharded,
            compress=self.compress,
        )

    def _refuse_dest_in_source(self) -> None:
        from teravox.pipeline.sources.open import follow, is_folder
        from teravox.pipeline.storage.urls import normalize

        source, dest = (follow(normalize(url)) for url in (self.source, self.dest))
        if dest == source or (is_folder(source) and f"{dest}/".startswith(f"{source}/")):
            raise BadUsage(
                f"DEST is {dest}, which is or lies in SOURCE; choose another one, sources are never written to"
            )

    def _keep_index(self, source: Source) -> None:
        """Have an index made of a file that is packed as a whole, where several pieces will look for their place in it."""
        from teravox.pipeline.storage.open import open_store

        store, name = open_store(self.dest), source.index_name()
        if name is None or store.exists([INDICES + name])[INDICES + name]:
            return
        LOG.warning("%s is read once to note where its parts are; each task then finds its own", source.place)
        index = source.make_index()
        if index is not None:
            store.put(INDICES + name, index)

    def _use_index(self, source: Source) -> None:
        from teravox.pipeline.storage.open import open_store

        name = source.index_name()
        index = None if name is None else open_store(self.dest).get(INDICES + name)
        if index is not None:
            source.use_index(index)


@lru_cache(maxsize=8)
def _plan(job: Create) -> Plan:
    """What is asked of a job again and again; `prepare` and `run` look at the source anew."""
    with job._open() as volume:  # noqa: SLF001 - its own
        return job._plan_of(volume)  # noqa: SLF001
