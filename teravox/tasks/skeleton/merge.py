"""`teravox skeleton merge`: skeletons that Neuroglancer shows, out of the fragments of a forge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.objects.part import Part
from teravox.pipeline.options import Compress, Layer, Memory, says
from teravox.pipeline.skeletons.skeleton_info import Form

if TYPE_CHECKING:
    from teravox.kernels.skeleton.cleaning import Wish
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.objects.plan import Plan
    from teravox.pipeline.skeletons.forged import Forged


MAY_BE_SOMA = 3  # times smaller than what is accepted as one may be the part of a soma that a piece has


class Merge(Job[Part], frozen=True, rename={"memory_limit": "memory"}):
    """Merge fragments into the skeletons that Neuroglancer shows.

    Fragments are joined where they have a voxel in common. Then what was traced within a soma is drawn to its center,
    loops are opened, components that are near each other are joined, and what pieces traced twice, ticks and dust are
    removed: each connected part of a label has one tree. The skeletons that the layer has stay valid until the new
    ones are complete: these go to a folder of their own, which the layer's info names at the end.

        teravox skeleton forge ./seg
        teravox skeleton merge ./seg
    """

    layer: Layer
    format: Annotated[
        Form, says("sharded: few large files. legacy: one file a label, which older programs can read, too.")
    ] = "sharded"
    min_cable_length: Annotated[
        float,
        Meta(ge=0),
        says("Least cable of a connected part, in nanometres; shorter ones are left out. 0 keeps single voxels, too."),
    ] = 1000.0
    max_cable_length: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        says(
            "Most cable of a label that is cleaned, in nanometres. Longer ones are written as they are joined, with loops "
            "and ticks. Default: all are cleaned."
        ),
    ] = None
    tick_threshold: Annotated[
        float,
        Meta(ge=0),
        says(
            "Branches that end nowhere and are shorter than this are removed, in nanometres, the shortest first. "
            "0 removes none but those that were traced twice."
        ),
    ] = 0.0
    join: Annotated[
        bool, says("Join parts of a label that are as near to each other as the sum of their radii there.")
    ] = True
    memory_limit: Memory = 3_500_000_000
    dir: Annotated[
        str,
        says(
            "Folder of the layer for the skeletons, as it was given to skeleton forge; with a suffix where it is in use."
        ),
    ] = "skeleton"
    compress: Annotated[Compress, says("How skeletons of the legacy form are compressed. auto: gzip.")] = "auto"

    def prepare(self) -> None:
        from teravox.pipeline.objects.plan import plan_key, write_plan
        from teravox.pipeline.objects.result_folder import claim_folder
        from teravox.pipeline.skeletons.merging.write import info_of

        self._check()
        layer, forged = self._open()
        plan = self._make_plan(layer, forged)
        write_plan(layer.store, plan_key(forged, self._id()), plan)
        claim_folder(layer.store, plan.folder, info_of(self.format, plan, forged), plan.stamp)

    def pieces(self) -> Sequence[Part]:
        parts = self._plan()[2].parts
        return [Part(number, parts) for number in range(parts)]

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.objects.plan import say_plan
        from teravox.pipeline.objects.sort import SKELETON
        from teravox.pipeline.skeletons.skeleton_info import SHOWN

        layer, forged, plan = self._plan()
        said = [say_plan(layer, plan, SKELETON, sharded=self.format == "sharded")]
        if unseen := ", ".join(attribute.id for attribute in forged.attributes if attribute.data_type != SHOWN):
            said.append(
                f"Neuroglancer draws no skeletons of a layer with attributes that are not {SHOWN}, and {unseen} is none; "
                "teravox view shows them all the same"
            )
        return said

    def memory(self, piece: Part) -> int:  # noqa: ARG002 - one bound for all parts
        from teravox.pipeline.skeletons.merging.memory import memory_of

        _, forged, plan = self._plan()
        return memory_of(plan, forged, self.memory_limit)

    def run(self, piece: Part) -> None:
        from teravox.pipeline.objects.labels import find_labels
        from teravox.pipeline.skeletons.fragments import SKELETONS
        from teravox.pipeline.skeletons.merging import write
        from teravox.pipeline.skeletons.merging.memory import memory_of
        from teravox.pipeline.skeletons.merging.merge import merge_labels

        layer, forged, plan = self._plan()
        labels = find_labels(layer, forged, piece, SKELETONS)
        memory = memory_of(plan, forged, self.memory_limit)
        merged = merge_labels(labels, forged, self._wish(forged), memory, layer.lanes)
        if self.format == "sharded":
            write.write_shard(layer.store, plan, piece, merged, forged)
        else:
            how = "gzip" if self.compress == "auto" else None if self.compress == "none" else self.compress
            write.write_legacy(layer.store, plan.folder, merged, forged, how)

    def outputs(self, piece: Part) -> Sequence[str]:
        from teravox.pipeline.objects.labels import find_labels
        from teravox.pipeline.skeletons.fragments import SKELETONS

        layer, forged, plan = self._plan()
        if self.format == "sharded":
            return [plan.shard_name(piece)]
        return [str(label) for label in find_labels(layer, forged, piece, SKELETONS).labels.tolist()]

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing

        layer, _, plan = self._plan()
        if layer.raw.get("skeletons") != plan.folder:
            layer.write_info(layer.raw | {"skeletons": plan.folder})
        record_processing(layer.store, "skeleton merge", msgspec.to_builtins(self))

    def report(self) -> str:
        layer, _, plan = self._plan()
        return (
            f"The skeletons are in {layer.url}/{plan.folder}; look at them with: teravox view {self.layer}\n"
            f"The fragments, and skeletons that the layer had before, are still there; remove them with: "
            f"teravox skeleton clean {self.layer}"
        )

    def home(self) -> str:
        layer, _, plan = self._plan()
        return f"{layer.url}/{plan.folder}"

    def _check(self) -> None:
        if self.max_cable_length is not None and self.max_cable_length < self.min_cable_length:
            raise BadUsage(
                f"--max-cable-length: {self.max_cable_length:g} is less than --min-cable-length, "
                f"{self.min_cable_length:g}, so nothing would be cleaned; give more, or leave it out"
            )
        if self.format != "legacy" and self.compress not in ("auto", "none"):
            raise BadUsage("--compress: sharded skeletons are packed one by one within shards, by gzip; leave it out")

    def _wish(self, forged: Forged) -> Wish:
        from teravox.kernels.skeleton.cleaning import Wish
        from teravox.kernels.skeleton.somata import Soma
        from teravox.kernels.skeleton.trunk import Ball

        return Wish(
            ball=Ball(
                forged.scale, forged.const, forged.soma_accept / MAY_BE_SOMA, forged.soma_scale, forged.soma_const
            ),
            soma=Soma(forged.soma_accept, forged.soma_scale, forged.soma_const),
            least_cable=self.min_cable_length,
            most_cable=self.max_cable_length,
            tick=self.tick_threshold,
            join=self.join,
        )

    def _id(self) -> str:
        from teravox.pipeline.message import job_id

        return job_id("skeleton merge", self)

    def _open(self) -> tuple[OpenLayer, Forged]:
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.skeletons.forged import read_forged

        layer = OpenLayer.open(self.layer, fresh=True)
        return layer, read_forged(layer, self.dir)

    def _plan(self) -> tuple[OpenLayer, Forged, Plan]:
        """The plan that was written down, or before that the one that would be."""
        from teravox.pipeline.objects.plan import plan_key, read_plan

        layer, forged = self._open()
        plan = read_plan(layer.store, plan_key(forged, self._id()))
        if plan is None:
            self._check()
            plan = self._make_plan(layer, forged)
        return layer, forged, plan

    def _make_plan(self, layer: OpenLayer, forged: Forged) -> Plan:
        from teravox.pipeline.objects.plan import make_plan
        from teravox.pipeline.skeletons.merging.memory import SIZE

        return make_plan(layer, forged, self._id(), self.memory_limit, SIZE)
