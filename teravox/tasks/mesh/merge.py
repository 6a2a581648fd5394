"""`teravox mesh merge`: meshes that Neuroglancer shows, out of the fragments of a forge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from teravox.pipeline.box import Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.meshes.merging.format import Format
from teravox.pipeline.objects.merging import MergeObjects, Merging, compression_of
from teravox.pipeline.objects.part import Part
from teravox.pipeline.objects.sort import MESH, Sort
from teravox.pipeline.options import Compress, Memory, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.meshes.forged import Forged
    from teravox.pipeline.meshes.merging.octree import Wish

MOST_CHUNK = 1 << 20  # voxels, so that all sizes of cells are whole numbers of 32 bits


class Merge(MergeObjects, frozen=True, rename={"memory_limit": "memory"}):
    """Merge the fragments of mesh forge into the meshes that Neuroglancer shows.

    Fragments are joined where pieces meet, so that each label has one closed surface. From it come levels of detail,
    each of about a quarter of the triangles of the one before, cut into the cells of an octree: a viewer fetches what
    it needs, and coarse and fine cells meet without cracks. The meshes that the layer has stay valid until the new
    ones are complete: these go to a folder of their own, which the layer's info names at the end.

        teravox mesh forge ./seg
        teravox mesh merge ./seg
    """

    sort: ClassVar[Sort] = MESH

    format: Annotated[
        Format,
        says(
            "sharded: few large files, levels of detail. multires: the same with two files a label. "
            "legacy: one level, and files that older programs can read."
        ),
    ] = "sharded"
    num_lods: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        says("Most levels of detail. Default: until one cell holds the label, but none of few triangles."),
    ] = None
    vqb: Annotated[
        int,
        Meta(ge=10, le=16),
        says("Bits of a vertex position within its cell: 16, or 10, which takes less space and rounds large cells."),
    ] = 16
    min_chunk_size: Annotated[
        Vec,
        says(
            "Least size of a cell of the finest level, in voxels of the forge's mip; cells are the forge's --cell, "
            "doubled until they have it. A label that fits into such a cell has but one level."
        ),
    ] = (256, 256, 256)
    memory_limit: Memory = 3_500_000_000
    dir: Annotated[
        str,
        says("Folder of the layer for the meshes, as it was given to mesh forge; with a suffix where it is in use."),
    ] = "mesh"
    compress: Annotated[Compress, says("How fragments of the legacy form are compressed. auto: gzip.")] = "auto"

    def memory(self, piece: Part) -> int:  # noqa: ARG002 - one bound for all parts
        from teravox.pipeline.meshes.merging.plan import memory_of

        return memory_of(self.merging().plan, self.memory_limit)

    def run(self, piece: Part) -> None:
        from teravox.pipeline.meshes.fragments import SURFACES
        from teravox.pipeline.meshes.merging import write
        from teravox.pipeline.meshes.merging.merge import merge_labels
        from teravox.pipeline.meshes.merging.plan import memory_of
        from teravox.pipeline.objects.labels import find_labels

        layer, forged, plan = self.merging()
        labels = find_labels(layer, forged, piece, SURFACES)
        merged = merge_labels(labels, forged, self._wish(), memory_of(plan, self.memory_limit), layer.lanes)
        if self.is_sharded():
            write.write_shard(layer.store, plan, piece, merged, forged, self.vqb)
        elif self.format == "multires":
            write.write_multires(layer.store, plan.folder, merged, forged, self.vqb)
        else:
            write.write_legacy(layer.store, plan.folder, merged, forged, compression_of(self.compress))

    def outputs(self, piece: Part) -> Sequence[str]:
        from teravox.pipeline.meshes.fragments import SURFACES
        from teravox.pipeline.meshes.merging.write import label_keys
        from teravox.pipeline.objects.labels import find_labels

        layer, forged, plan = self.merging()
        if self.is_sharded():
            return [plan.shard_name(piece)]
        return list(label_keys(self.format, find_labels(layer, forged, piece, SURFACES).labels.tolist()))

    def check(self) -> None:
        if self.vqb not in (10, 16):
            raise BadUsage(f"--vqb: Neuroglancer reads positions of 10 or of 16 bits, got {self.vqb}")
        if not all(1 <= size <= MOST_CHUNK for size in self.min_chunk_size):
            raise BadUsage(f"--min-chunk-size: expected numbers from 1 to {MOST_CHUNK:,}, got {self.min_chunk_size}")
        if self.format == "legacy" and self.num_lods not in (None, 1):
            raise BadUsage("--num-lods: the legacy form has one level; choose another --format, or leave it out")
        if self.format != "legacy" and self.compress not in ("auto", "none"):
            raise BadUsage(
                f"--compress: {self.format} meshes are read in parts, so they cannot be compressed; leave it out"
            )

    def _wish(self) -> Wish:
        from teravox.pipeline.meshes.merging.octree import Wish

        return Wish(self.min_chunk_size, 1 if self.format == "legacy" else self.num_lods, self.vqb)

    def is_sharded(self) -> bool:
        return self.format == "sharded"

    def new_info(self, merging: Merging[Forged]) -> Json:
        from teravox.pipeline.meshes.merging.write import mesh_info

        return mesh_info(self.format, merging.plan, merging.forged, self.vqb)

    def merging(self, *, anew: bool = False) -> Merging[Forged]:
        from teravox.pipeline.meshes.forged import read_forged
        from teravox.pipeline.meshes.merging.plan import SIZE

        return self._find(read_forged, self.dir, SIZE, self.memory_limit, anew=anew)
