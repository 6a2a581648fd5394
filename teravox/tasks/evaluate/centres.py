"""`teravox evaluate centres`: how well the centres of objects in slices are found."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from teravox.pipeline.centres.declaration import Comparing, Slices


class Centres(Comparing, frozen=True):
    """Compare centres of objects in slices with true ones.

    In every slice that has true centres, discs are drawn around these and around those that were found, and compared
    pixel by pixel: Dice, Jaccard, sensitivity, specificity, accuracy, precision, balanced accuracy. And centres are paired,
    each with one at most that is near enough: how many are found, and how far off they are.

        teravox evaluate centres clicked.csv ./fibres ./centres-quality --diameter 10

    FOUND is a layer whose centres `image centres` has found, or a table like TRUTH.
    """

    def prepare(self) -> None:
        from teravox.pipeline.centres.comparison_plan import write_plan

        write_plan(self)

    def pieces(self) -> Sequence[Slices]:
        from teravox.pipeline.centres.comparison_plan import pieces_of

        return pieces_of(self)

    def memory(self, piece: Slices) -> int:
        from teravox.pipeline.centres.comparing import comparing_bytes

        return comparing_bytes(piece)

    def run(self, piece: Slices) -> None:
        from teravox.pipeline.centres.comparing import compare_piece
        from teravox.pipeline.evaluation.json_files import put_json
        from teravox.pipeline.storage.open import open_store

        put_json(open_store(self.dest), self.outputs(piece)[0], compare_piece(self, piece))

    def outputs(self, piece: Slices) -> Sequence[str]:
        from teravox.pipeline.centres.comparing import counts_key
        from teravox.pipeline.centres.comparison_plan import folder_of

        return [counts_key(folder_of(self), piece)]

    def finish(self) -> None:
        from teravox.pipeline.centres.comparing import publish
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        publish(self)
        record_processing(open_store(self.dest), "evaluate centres", msgspec.to_builtins(self))

    def report(self) -> str:
        from teravox.pipeline.centres.report import read_report, say_report
        from teravox.pipeline.storage.open import open_store

        store = open_store(self.dest)
        return say_report(read_report(store), store.url)
