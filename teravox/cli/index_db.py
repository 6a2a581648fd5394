"""What the commands that put a spatial index into a database have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from teravox.cli.command import Call, Command
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.objects.index_pieces import Dir
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.options import Layer, says


class IndexDb(Command, frozen=True):
    """A command says of which sort the objects are, and which folder is usual."""

    sort: ClassVar[Sort]

    layer: Layer
    url: Annotated[
        str, says("sqlite:///FILE (with four slashes for a whole path) or postgresql://HOST/DATABASE.", positional=True)
    ]
    dir: Dir

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.objects.index_database import open_database, write_index
        from teravox.pipeline.objects.spatial import forged_whole, pieces_with_labels

        layer = OpenLayer.open(self.layer, fresh=True)
        forged = forged_whole(layer, self.sort, self.dir)
        with open_database(self.url) as database:
            rows = write_index(database, pieces_with_labels(layer, self.sort, forged))
        print(f"{rows:,} rows of labels in {len(forged.grid):,} pieces written.")
        return ExitCode.DONE
