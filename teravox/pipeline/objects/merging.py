"""What the kinds that merge fragments have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec

from teravox.pipeline.job import Job
from teravox.pipeline.objects.part import Part
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.options import Compress, Layer

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.objects.forged import Forged
    from teravox.pipeline.objects.plan import PartSize, Plan
    from teravox.pipeline.planning.traffic import Traffic
    from teravox.pipeline.store import Compression

F = TypeVar("F", bound="Forged")


class Merging(NamedTuple, Generic[F]):
    """What is merged, and how."""

    layer: OpenLayer
    forged: F
    plan: Plan


class MergeObjects(Job[Part], frozen=True):
    """A job that merges fragments; its kind says of which sort, and how."""

    sort: ClassVar[Sort]

    layer: Layer

    def check(self) -> None:
        """Raise BadUsage where options contradict each other."""
        raise NotImplementedError

    def merging(self, *, anew: bool = False) -> Merging[Any]:
        """By the plan that was written down; before that, or anew, by the one that would be."""
        raise NotImplementedError

    def is_sharded(self) -> bool:
        """Whether a part becomes a shard."""
        raise NotImplementedError

    def new_info(self, merging: Merging[Any]) -> Json:
        """The info of the folder of the new objects."""
        raise NotImplementedError

    def doubts(self, merging: Merging[Any]) -> Sequence[str]:  # noqa: ARG002 - a kind may have some
        """What somebody should know of the objects before they are made, as sentences."""
        return []

    def prepare(self) -> None:
        from teravox.pipeline.objects.plan import plan_key, write_plan
        from teravox.pipeline.objects.result_folder import claim_folder

        self.check()
        merging = self.merging(anew=True)
        layer, forged, plan = merging
        write_plan(layer.store, plan_key(forged, self._id()), plan)
        claim_folder(layer.store, plan.folder, self.new_info(merging), plan.stamp)

    def pieces(self) -> Sequence[Part]:
        parts = self.merging().plan.parts
        return [Part(number, parts) for number in range(parts)]

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.objects.plan import say_plan

        merging = self.merging()
        return [
            say_plan(merging.layer, merging.plan, self.sort, sharded=self.is_sharded()),
            *self.doubts(merging),
        ]

    def traffic(self, piece: Part) -> Traffic:
        from teravox.pipeline.objects.fragments import FIRST_READ
        from teravox.pipeline.planning.traffic import Objects, Share, Traffic, Unsaid, info_of

        layer, forged, plan = self.merging()
        fragments = Share(self.layer, f"{forged.folder}/", 1 / plan.parts, FIRST_READ)
        written = (
            Objects(f"{layer.url}/{plan.folder}", self.outputs(piece))
            if self.is_sharded()
            else Unsaid(f"the number of {self.sort.many} is known when they are merged")
        )
        return Traffic([info_of(self.layer), fragments], [written], voxels=forged.bounds.voxels // plan.parts)

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.objects.result_folder import let_name

        layer, _, plan = self.merging()
        let_name(layer, self.sort, plan.folder)
        record_processing(layer.store, self._kind(), msgspec.to_builtins(self))

    def report(self) -> str:
        many = self.sort.many
        return (
            f"The {many} are in {self.home()}; look at them with: teravox view {self.layer}\n"
            f"The fragments, and {many} that the layer had before, are still there; remove them with: "
            f"teravox {self.sort.one} clean {self.layer}"
        )

    def home(self) -> str:
        layer, _, plan = self.merging()
        return f"{layer.url}/{plan.folder}"

    def _find(
        self, read: Callable[[OpenLayer, str], F], dir: str, size: PartSize, memory: int, *, anew: bool
    ) -> Merging[F]:
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.objects.plan import make_plan, plan_key, read_plan

        layer = OpenLayer.open(self.layer, fresh=True)
        forged = read(layer, dir)
        plan = None if anew else read_plan(layer.store, plan_key(forged, self._id()))
        if plan is None:
            self.check()
            plan = make_plan(layer, forged, self._id(), memory, size)
        return Merging(layer, forged, plan)

    def _id(self) -> str:
        from teravox.pipeline.message import job_id

        return job_id(self._kind(), self)

    def _kind(self) -> str:
        return f"{self.sort.one} merge"


def compression_of(word: Compress) -> Compression | None:
    """How objects of the legacy form are compressed."""
    return "gzip" if word == "auto" else None if word == "none" else word
