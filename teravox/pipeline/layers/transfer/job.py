"""What all kinds that copy layers have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.job import Job
from teravox.pipeline.layers.transfer.pieces import MipBox
from teravox.pipeline.layers.transfer.wish import Wish

if TYPE_CHECKING:
    from teravox.pipeline.layers.transfer.plan import Plan
    from teravox.pipeline.planning.traffic import Traffic


class CopyJob(Job[MipBox], frozen=True):
    """A job that copies mips of a layer; its kind says what it wishes, and `finish`."""

    def wish(self) -> Wish:
        """What this job asks for."""
        raise NotImplementedError

    def prepare(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer

        plan = self._plan(fresh=True)
        create_layer(plan.target.url, plan.target.raw)

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.say_shards import say_shards

        return say_shards(self._plan().target)

    def pieces(self) -> Sequence[MipBox]:
        return self._plan().pieces

    def memory(self, piece: MipBox) -> int:
        return self._plan().route(piece.mip).need(piece.box.size)

    def run(self, piece: MipBox) -> None:
        from teravox.pipeline.layers.transfer.copy import copy_piece

        copy_piece(self._plan(fresh=True), piece)

    def outputs(self, piece: MipBox) -> Sequence[str]:
        plan = self._plan()
        return [key for mip, box in plan.results(piece) for key in plan.target.keys(box, mip)]

    def traffic(self, piece: MipBox) -> Traffic:
        from teravox.pipeline.planning.traffic import Chunks, Traffic, info_of

        plan, wish = self._plan(), self.wish()
        route = plan.route(piece.mip)
        x, y, z = route.cut.shift
        reads = [
            Chunks(route.source, piece.mip, block.shift((-x, -y, -z)).intersect(route.cut.box))
            for block in route.blocks(piece.box)
        ]
        stays = route.has_same_chunks and route.is_encoded_alike and wish.keeps_all
        writes = [
            Chunks(plan.target, mip, box, wish.compression_of(plan.target.scale(mip)), copied=stays and not step)
            for step, (mip, box) in enumerate(plan.results(piece))
        ]
        return Traffic([info_of(wish.source), info_of(wish.dest), *reads], writes)

    def _plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.layers.transfer.plan import plan_copy

        return plan_copy(self.wish(), fresh=fresh)
