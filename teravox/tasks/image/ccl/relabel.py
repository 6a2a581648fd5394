"""`teravox image ccl relabel`: the components of the whole volume, as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.components.declaration import DestEncoding, Joining
from teravox.pipeline.components.form import Form
from teravox.pipeline.options import Compress, CompressLevel, Sharded

if TYPE_CHECKING:
    from teravox.pipeline.planning.traffic import Traffic


class Relabel(Joining[Box], frozen=True):
    """Write the components of the whole volume: last stage of four.

    It takes the options of `teravox image ccl resolve`, all of whose steps must be done. The labels are 1, 2, 3 and so
    on, as uint32 where that is enough and uint64 where not. SOURCE is not read again.
    """

    encoding: DestEncoding = "compressed_segmentation"
    sharded: Sharded = False
    compress: Compress = "auto"
    compress_level: CompressLevel = None

    @property
    def form(self) -> Form:
        """How DEST is to be stored."""
        return Form(self.encoding, self.sharded, self.compress, self.compress_level)

    def prepare(self) -> None:
        from teravox.pipeline.components import local_labels, surface_file
        from teravox.pipeline.components.destination import create, data_type_for
        from teravox.pipeline.components.groups import make_groups
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.stage_files import require_stage

        self.check_destination()
        plan = make_plan(self)
        groups = make_groups(self, plan)
        require_stage(plan.store, self.folder, local_labels.STAGE, len(plan.grid), "faces")
        require_stage(plan.store, self.folder, surface_file.STAGE, len(plan.grid), "faces")
        groups.require_given()
        create(plan, self.form, data_type_for(groups.total()))

    def check_destination(self) -> None:
        """Raise BadUsage now if DEST could not be written when all the other stages are done."""
        from teravox.pipeline.components.destination import check_free
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.storage.compression import check_level

        check_level(self.form.compression, self.compress_level)
        check_free(make_plan(self, fresh=True), self.form)

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.components.destination import expected_layer
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.layers.say_shards import say_shards

        return say_shards(expected_layer(make_plan(self), self.form)) if self.sharded else []

    def pieces(self) -> Sequence[Box]:
        from teravox.pipeline.components.plan import make_plan

        return make_plan(self).grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.relabelling import relabelling_bytes

        return LIBRARIES + relabelling_bytes(make_plan(self), self.folder, piece, self.form)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.components.groups import make_groups
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.relabelling import write_relabelled

        plan = make_plan(self)
        write_relabelled(plan, make_groups(self, plan), piece, self.form)

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.components.destination import expected_layer
        from teravox.pipeline.components.groups import make_groups
        from teravox.pipeline.components.local_labels import local_key
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.surface_file import surface_key
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        plan = make_plan(self)
        index = plan.index(plan.cell(piece))
        keys = [
            local_key(self.folder, index),
            surface_key(self.folder, index),
            make_groups(self, plan).given_key(index),
        ]
        target = expected_layer(plan, self.form)
        return Traffic(
            [info_of(self.source), info_of(self.dest), Objects(self.dest, keys)],
            [Chunks(target, 0, piece, self.form.compression)],
        )

    def foresee(self) -> None:
        from teravox.pipeline.components.destination import create
        from teravox.pipeline.components.plan import make_plan

        self.check_destination()
        create(make_plan(self), self.form, "uint32")

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.components.destination import expected_layer
        from teravox.pipeline.components.plan import make_plan

        return expected_layer(make_plan(self), self.form).keys(piece, 0)

    def report(self) -> str:
        from teravox.pipeline.components.groups import make_groups
        from teravox.pipeline.components.plan import make_plan

        groups = make_groups(self, make_plan(self))
        return f"There are {groups.total():,} components. What the stages left for each other is in {self.dest}/ccl."

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.dest), "image ccl relabel", msgspec.to_builtins(self))
