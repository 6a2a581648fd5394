"""`teravox evaluate reduce`: from what was counted in all pieces to the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from teravox.pipeline.evaluation.declaration import Evaluation
from teravox.pipeline.options import says
from teravox.pipeline.sorted_rows.key_range import KeyRange


class Reduce(Evaluation[KeyRange], frozen=True):
    """Add up what was counted, as tasks, some labels each; stages 2 and 3.

    It takes the options of `teravox evaluate count`, which must be done. Run it with --side a, then with --side b, whose
    end writes the report. A task holds the pairs of some labels only, so that no process holds them all.
    """

    side: Annotated[
        Literal["a", "b"],
        says("a: by the labels of A, how they are split. b, after it: by those of B, and the report."),
    ] = "a"

    def prepare(self) -> None:
        from teravox.pipeline.evaluation.stages import plan_side

        plan_side(self, self.side)

    def pieces(self) -> Sequence[KeyRange]:
        from teravox.pipeline.evaluation.stages import read_ranges

        return read_ranges(self, self.side)

    def memory(self, piece: KeyRange) -> int:  # noqa: ARG002 - ranges are chosen by memory, so they need all the same
        return self.memory_limit

    def run(self, piece: KeyRange) -> None:
        from teravox.pipeline.evaluation.stages import reduce_range

        reduce_range(self, self.side, piece)

    def outputs(self, piece: KeyRange) -> Sequence[str]:
        from teravox.pipeline.evaluation.places import reduced_keys

        return list(reduced_keys(self.folder, self.side, piece).values())

    def finish(self) -> None:
        from teravox.pipeline.evaluation.publish import publish
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        if self.side == "b":
            publish(self)
        record_processing(open_store(self.dest), "evaluate reduce", msgspec.to_builtins(self))

    def report(self) -> str:
        from teravox.pipeline.evaluation.report import read_report
        from teravox.pipeline.evaluation.say_report import say_report
        from teravox.pipeline.storage.open import open_store

        if self.side == "a":
            return "The labels of A are done. Go on with: --side b"
        store = open_store(self.dest)
        return say_report(read_report(store), store.url)
