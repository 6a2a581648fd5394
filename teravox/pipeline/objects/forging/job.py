"""What the kinds that forge objects have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.job import Job
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.options import Layer, Mip, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.objects.forged import Forged
    from teravox.pipeline.objects.forging.choosing import Choice
    from teravox.pipeline.objects.forging.frame import Frame
    from teravox.pipeline.planning.traffic import Traffic

Label = Annotated[int, Meta(ge=1)]


class Plan(Protocol):
    """What is forged, piece by piece."""

    @property
    def layer(self) -> OpenLayer: ...

    @property
    def grid(self) -> Grid: ...

    def memory(self, piece: Box) -> int:
        """The most bytes that a piece needs."""

    def frame(self, piece: Box) -> Frame:
        """What a piece reads."""


class ForgeObjects(Job[Box], frozen=True):
    """A job that forges objects; its kind says of which sort, and how, and may word these options in its own way."""

    sort: ClassVar[Sort]

    layer: Layer
    mip: Mip = 0
    dust_threshold: Annotated[
        int, Meta(ge=0), says("Leave out labels of fewer voxels; see --dust-global.", form="count")
    ] = 0
    dust_global: Annotated[
        bool,
        says(
            "Count the voxels of a label in the whole layer, by the table of `image count --mip`. "
            "Default: in a piece; labels that go on in the next one are kept."
        ),
    ] = False
    labels: Annotated[tuple[Label, ...], says("The only labels to take. Default: all but 0.")] = ()
    exclude_labels: Annotated[tuple[Label, ...], says("Labels to leave out.")] = ()
    remap: Annotated[
        KnownFile | None,
        says(
            "Table of labels to become others before all else, so that they are one object: CSV, .npy or Parquet with two "
            "columns, label and what it becomes. 0 leaves it out; one that is not listed stays. It is copied to "
            "where the fragments are, and a worker reads the rows that it needs."
        ),
    ] = None

    def into(self) -> str:
        """The folder of the objects to be made, within the layer."""
        raise NotImplementedError

    def plan(self, *, fresh: bool = False) -> Plan:
        """The pieces; BadUsage says what cannot be."""
        raise NotImplementedError

    def forged(self) -> Forged:
        """What is told of it when all is done."""
        raise NotImplementedError

    def prepare(self) -> None:
        self.choice().prepare(self.plan(fresh=True).layer)

    def pieces(self) -> Sequence[Box]:
        return self.plan().grid

    def memory(self, piece: Box) -> int:
        return self.plan().memory(piece)

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.objects.forged import fragments_key

        return [fragments_key(self.folder(), piece)]

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        plan = self.plan()
        return Traffic(
            [info_of(self.layer), Chunks(plan.layer, self.mip, plan.frame(piece).inside)],
            [Objects(self.layer, self.outputs(piece))],
            kept=False,
        )

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.objects.forged import write_forged

        layer = self.plan(fresh=True).layer
        write_forged(layer, self.forged())
        record_processing(layer.store, self._kind(), msgspec.to_builtins(self))

    def report(self) -> str:
        import shlex

        words = ["teravox", self.sort.one, "merge", self.layer]
        words += ["--dir", self.into()] if self.into() != self.sort.one else []
        return f"The fragments are there. To make {self.sort.many} of them: {shlex.join(words)}"

    def open(self, *, fresh: bool) -> OpenLayer:
        """The layer, where it can hold what is to be made."""
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.objects.result_folder import check_dir

        layer = OpenLayer.open(self.layer, fresh=fresh)
        self.choice().check(layer)
        check_dir(layer, self.sort, self.into())
        return layer

    def choice(self) -> Choice:
        """Which labels are forged."""
        from teravox.pipeline.objects.forging.choosing import Choice
        from teravox.pipeline.objects.forging.remap_table import NAME

        return Choice(
            mip=self.mip,
            dust_threshold=self.dust_threshold,
            dust_global=self.dust_global,
            labels=self.labels,
            exclude_labels=self.exclude_labels,
            remap=self.remap,
            remap_key=f"{self.folder()}/{NAME}",
        )

    def id(self) -> str:
        """What tells this forge from others."""
        from teravox.pipeline.message import job_id

        return job_id(self._kind(), self)[:16]

    def folder(self) -> str:
        """Where the fragments lie, within the layer."""
        from teravox.pipeline.objects.forged import fragments_folder

        return f"{fragments_folder(self.into())}/{self.id()}"

    def _kind(self) -> str:
        return f"{self.sort.one} forge"
