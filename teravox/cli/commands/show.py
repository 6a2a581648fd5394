"""`teravox show`: what a layer is."""

from __future__ import annotations

import sys

import msgspec

from teravox.cli.command import Call, Command
from teravox.cli.options import AsJson
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Layer


class Show(Command, frozen=True):
    """Show what a layer is: its mips, shards, meshes, skeletons and history.

    Numbers of chunks and bytes are those of a full volume before encoding: the chunks themselves are not looked at.
    The jobs are those of the ledger beside the layer, with the tasks that are done and all that there are.

        teravox show ./seg
    """

    layer: Layer
    json: AsJson = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.pipeline.description.describe import describe
        from teravox.pipeline.layers.layer import Layer as OpenLayer

        seen = describe(OpenLayer.open(self.layer, fresh=True))
        if self.json:
            print(msgspec.json.encode(seen).decode())
            return ExitCode.DONE
        from rich.console import Console

        from teravox.cli.description_tables import tables

        wide = None if sys.stdout.isatty() else 120  # columns, where nobody says how many there are
        console = Console(soft_wrap=False, highlight=False, width=wide)
        for table in tables(seen):
            console.print(table)
            console.print()
        return ExitCode.DONE
