"""What the kinds that copy objects have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from teravox.pipeline.job import Job
from teravox.pipeline.objects.copying.part import Part
from teravox.pipeline.options import Dest, Memory, Source, says

if TYPE_CHECKING:
    from teravox.pipeline.objects.copying.plan import Plan
    from teravox.pipeline.objects.copying.ways import Ways
    from teravox.pipeline.objects.copying.wish import Wish


class CopyObjects(Job[Part], frozen=True):
    """A job that copies objects; its kind says of which sort, and what it wishes."""

    kind: ClassVar[str]

    def ways(self) -> Ways:
        """How the objects are read and written."""
        raise NotImplementedError

    def wish(self) -> Wish:
        """What this job asks for."""
        raise NotImplementedError

    def prepare(self) -> None:
        from teravox.pipeline.objects.copying.prepare import prepare_copy

        prepare_copy(self._plan(fresh=True))

    def pieces(self) -> Sequence[Part]:
        return self._plan().pieces

    def memory(self, piece: Part) -> int:
        from teravox.pipeline.objects.copying.copy import need_of

        return need_of(self._plan(), piece)

    def run(self, piece: Part) -> None:
        from teravox.pipeline.objects.copying.copy import copy_piece

        copy_piece(self._plan(fresh=True), piece)

    def outputs(self, piece: Part) -> Sequence[str]:
        from teravox.pipeline.objects.copying.copy import outputs_of

        return outputs_of(self._plan(), piece)

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.objects.copying.prepare import publish_copy

        plan = self._plan(fresh=True)
        publish_copy(plan)
        record_processing(plan.dest, plan.wish.kind, msgspec.to_builtins(self))

    def _plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.objects.copying.plan import plan_copy

        return plan_copy(self.wish(), self.ways(), fresh=fresh)


class TransferObjects(CopyObjects, frozen=True, rename={"memory_limit": "memory"}):
    """A job that copies all objects of a layer, or some; its kind says in which forms."""

    source: Source
    dest: Dest
    format: Annotated[str, says("The form of the copy; auto: as the source.")] = "auto"
    labels: Annotated[
        tuple[Annotated[int, Meta(gt=0)], ...], says("Only the objects of these labels. Default: all.")
    ] = ()
    dir: Annotated[
        str | None,
        says("Folder for the copy, within DEST. Default: as in the source; it gets an ending if it is in use."),
    ] = None
    memory_limit: Memory = 3_500_000_000

    def wish(self) -> Wish:
        from teravox.pipeline.message import job_id
        from teravox.pipeline.objects.copying.wish import Wish

        return Wish(
            kind=self.kind,
            source=self.source,
            dest=self.dest,
            form=self.format,
            labels=self.labels,
            dir=self.dir,
            memory=self.memory_limit,
            job_id=job_id(self.kind, self),
        )


class ShardObjects(CopyObjects, frozen=True, rename={"memory_limit": "memory"}):
    """A job that puts the objects of a layer into shards."""

    layer: Source
    dest: Dest
    memory_limit: Memory = 3_500_000_000

    def wish(self) -> Wish:
        from teravox.pipeline.message import job_id
        from teravox.pipeline.objects.copying.wish import Wish

        return Wish(
            kind=self.kind,
            source=self.layer,
            dest=self.dest,
            form="sharded",
            labels=(),
            dir=None,
            memory=self.memory_limit,
            job_id=job_id(self.kind, self),
        )
