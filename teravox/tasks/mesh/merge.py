"""`teravox mesh merge`: meshes that Neuroglancer shows, out of the fragments of a forge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.meshes.merging.format import Format
from teravox.pipeline.objects.part import Part
from teravox.pipeline.options import Compress, Layer, Memory, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.meshes.forged import Forged
    from teravox.pipeline.meshes.merging.octree import Wish
    from teravox.pipeline.objects.plan import Plan

MOST_CHUNK = 1 << 20  # voxels, so that all sizes of cells are whole numbers of 32 bits


class Merge(Job[Part], frozen=True, rename={"memory_limit": "memory"}):
    """Merge the fragments of mesh forge into the meshes that Neuroglancer shows.

    Fragments are joined where pieces meet, so that each label has one closed surface. From it come levels of detail,
    each of about a quarter of the triangles of the one before, cut into the cells of an octree: a viewer fetches what
    it needs, and coarse and fine cells meet without cracks. The meshes that the layer has stay valid until the new
    ones are complete: these go to a folder of their own, which the layer's info names at the end.

        teravox mesh forge ./seg
        teravox mesh merge ./seg
    """

    layer: Layer
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

    def prepare(self) -> None:
        from teravox.pipeline.meshes.merging.write import mesh_info
        from teravox.pipeline.objects.plan import plan_key, write_plan
        from teravox.pipeline.objects.result_folder import claim_folder

        self._check()
        layer, forged = self._open(fresh=True)
        plan = self._make_plan(layer, forged)
        write_plan(layer.store, plan_key(forged, self._id()), plan)
        claim_folder(layer.store, plan.folder, mesh_info(self.format, plan, forged, self.vqb), plan.stamp)

    def pieces(self) -> Sequence[Part]:
        parts = self._plan()[2].parts
        return [Part(number, parts) for number in range(parts)]

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.objects.plan import say_plan
        from teravox.pipeline.objects.sort import MESH

        layer, _, plan = self._plan()
        return [say_plan(layer, plan, MESH, sharded=self.format == "sharded")]

    def memory(self, piece: Part) -> int:  # noqa: ARG002 - one bound for all parts
        from teravox.pipeline.meshes.merging.plan import memory_of

        return memory_of(self._plan()[2], self.memory_limit)

    def run(self, piece: Part) -> None:
        from teravox.pipeline.meshes.fragments import SURFACES
        from teravox.pipeline.meshes.merging import write
        from teravox.pipeline.meshes.merging.merge import merge_labels
        from teravox.pipeline.meshes.merging.plan import memory_of
        from teravox.pipeline.objects.labels import find_labels

        layer, forged, plan = self._plan()
        labels = find_labels(layer, forged, piece, SURFACES)
        merged = merge_labels(labels, forged, self._wish(), memory_of(plan, self.memory_limit), layer.lanes)
        if self.format == "sharded":
            write.write_shard(layer.store, plan, piece, merged, forged, self.vqb)
        elif self.format == "multires":
            write.write_multires(layer.store, plan.folder, merged, forged, self.vqb)
        else:
            how = "gzip" if self.compress == "auto" else None if self.compress == "none" else self.compress
            write.write_legacy(layer.store, plan.folder, merged, forged, how)

    def outputs(self, piece: Part) -> Sequence[str]:
        from teravox.pipeline.meshes.fragments import SURFACES
        from teravox.pipeline.meshes.merging.write import label_keys
        from teravox.pipeline.objects.labels import find_labels

        layer, forged, plan = self._plan()
        if self.format == "sharded":
            return [plan.shard_name(piece)]
        return list(label_keys(self.format, find_labels(layer, forged, piece, SURFACES).labels.tolist()))

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing

        layer, _, plan = self._plan()
        raw = layer.raw
        if raw.get("mesh") != plan.folder:
            layer.write_info(raw | {"mesh": plan.folder})
        record_processing(layer.store, "mesh merge", msgspec.to_builtins(self))

    def report(self) -> str:
        layer, _, plan = self._plan()
        return (
            f"The meshes are in {layer.url}/{plan.folder}; look at them with: teravox view {self.layer}\n"
            f"The fragments, and meshes that the layer had before, are still there; remove them with: "
            f"teravox mesh clean {self.layer}"
        )

    def home(self) -> str:
        layer, _, plan = self._plan()
        return f"{layer.url}/{plan.folder}"

    def _check(self) -> None:
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

    def _id(self) -> str:
        from teravox.pipeline.message import job_id

        return job_id("mesh merge", self)

    def _open(self, *, fresh: bool = False) -> tuple[OpenLayer, Forged]:
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.meshes.forged import read_forged

        layer = OpenLayer.open(self.layer, fresh=fresh)
        return layer, read_forged(layer, self.dir)

    def _plan(self) -> tuple[OpenLayer, Forged, Plan]:
        """The plan that was written down, or before that the one that would be."""
        from teravox.pipeline.objects.plan import plan_key, read_plan

        layer, forged = self._open(fresh=True)
        plan = read_plan(layer.store, plan_key(forged, self._id()))
        if plan is None:
            self._check()
            plan = self._make_plan(layer, forged)
        return layer, forged, plan

    def _make_plan(self, layer: OpenLayer, forged: Forged) -> Plan:
        from teravox.pipeline.meshes.merging.plan import SIZE
        from teravox.pipeline.objects.plan import make_plan

        return make_plan(layer, forged, self._id(), self.memory_limit, SIZE)
