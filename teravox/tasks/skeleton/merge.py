"""`teravox skeleton merge`: skeletons that Neuroglancer shows, out of the fragments of a forge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.objects.merging import MergeObjects, Merging, compression_of
from teravox.pipeline.objects.part import Part
from teravox.pipeline.objects.sort import SKELETON, Sort
from teravox.pipeline.options import Compress, Memory, says
from teravox.pipeline.skeletons.skeleton_info import Form

if TYPE_CHECKING:
    from teravox.kernels.skeleton.cleaning import Wish
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.skeletons.forged import Forged


MAY_BE_SOMA = 3  # times smaller than what is accepted as one may be the part of a soma that a piece has


class Merge(MergeObjects, frozen=True, rename={"memory_limit": "memory"}):
    """Merge fragments into the skeletons that Neuroglancer shows.

    Fragments are joined where they have a voxel in common. Then what was traced within a soma is drawn to its center,
    loops are opened, components that are near each other are joined, and what pieces traced twice, ticks and dust are
    removed: each connected part of a label has one tree. The skeletons that the layer has stay valid until the new
    ones are complete: these go to a folder of their own, which the layer's info names at the end.

        teravox skeleton forge ./seg
        teravox skeleton merge ./seg
    """

    sort: ClassVar[Sort] = SKELETON

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

    def doubts(self, merging: Merging[Forged]) -> Sequence[str]:
        from teravox.pipeline.skeletons.skeleton_info import SHOWN

        unseen = ", ".join(each.id for each in merging.forged.attributes if each.data_type != SHOWN)
        if not unseen:
            return []
        said = (
            f"Neuroglancer draws no skeletons of a layer with attributes that are not {SHOWN}, and {unseen} is none; "
            "teravox view shows them all the same"
        )
        return [said]

    def memory(self, piece: Part) -> int:  # noqa: ARG002 - one bound for all parts
        from teravox.pipeline.skeletons.merging.memory import memory_of

        _, forged, plan = self.merging()
        return memory_of(plan, forged, self.memory_limit)

    def run(self, piece: Part) -> None:
        from teravox.pipeline.objects.labels import find_labels
        from teravox.pipeline.skeletons.fragments import SKELETONS
        from teravox.pipeline.skeletons.merging import write
        from teravox.pipeline.skeletons.merging.memory import memory_of
        from teravox.pipeline.skeletons.merging.merge import merge_labels

        layer, forged, plan = self.merging()
        labels = find_labels(layer, forged, piece, SKELETONS)
        memory = memory_of(plan, forged, self.memory_limit)
        merged = merge_labels(labels, forged, self._wish(forged), memory, layer.lanes)
        if self.is_sharded():
            write.write_shard(layer.store, plan, piece, merged)
        else:
            write.write_legacy(layer.store, plan.folder, merged, compression_of(self.compress))

    def outputs(self, piece: Part) -> Sequence[str]:
        from teravox.pipeline.objects.labels import find_labels
        from teravox.pipeline.skeletons.fragments import SKELETONS

        layer, forged, plan = self.merging()
        if self.is_sharded():
            return [plan.shard_name(piece)]
        return [str(label) for label in find_labels(layer, forged, piece, SKELETONS).labels.tolist()]

    def check(self) -> None:
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

    def is_sharded(self) -> bool:
        return self.format == "sharded"

    def new_info(self, merging: Merging[Forged]) -> Json:
        from teravox.pipeline.skeletons.merging.write import info_of

        return info_of(self.format, merging.plan, merging.forged)

    def merging(self, *, anew: bool = False) -> Merging[Forged]:
        from teravox.pipeline.skeletons.forged import read_forged
        from teravox.pipeline.skeletons.merging.memory import SIZE

        return self._find(read_forged, self.dir, SIZE, self.memory_limit, anew=anew)
