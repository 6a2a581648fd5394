"""`teravox mesh index db`: the spatial index of the meshes in a database."""

from __future__ import annotations

from typing import Annotated

from teravox.cli.command import Call, Command
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Layer, says


class Db(Command, frozen=True):
    """Put the spatial index of the meshes into a database, SQLite or PostgreSQL.

    It is made of what the forge has left, so before `mesh clean`. There are two tables, which are replaced: `index_files`
    (id, filename) has the pieces, and `file_lookup` (label, fid, min_x to max_z) the labels of each with their boxes in
    nanometres. Databases have signed numbers: a label from 2^63 on is stored as the label - 2^64.

        teravox mesh index db ./seg sqlite:///meshes.db
    """

    layer: Layer
    url: Annotated[
        str, says("sqlite:///FILE (with four slashes for a whole path) or postgresql://HOST/DATABASE.", positional=True)
    ]
    dir: Annotated[str, says("Folder of the layer, as it was given to mesh forge.")] = "mesh"

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.meshes.index_database import open_database, write_index
        from teravox.pipeline.meshes.spatial import forged_of_meshes, pieces_with_labels

        layer = OpenLayer.open(self.layer, fresh=True)
        forged = forged_of_meshes(layer, self.dir)
        with open_database(self.url) as database:
            rows = write_index(database, pieces_with_labels(layer, forged))
        print(f"{rows:,} rows of labels in {len(forged.grid):,} pieces written.")
        return ExitCode.DONE
