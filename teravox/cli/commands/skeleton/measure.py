"""`teravox skeleton measure`: a table of what skeletons measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.options import Quiet
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Layer, says


class Measure(Command, frozen=True):
    """Write a table of what skeletons measure, a row for each label.

    Its columns are label, vertices, edges, components, loops, terminals, branch_points, cable_length_nm, mean_radius_nm,
    min_radius_nm and max_radius_nm; radii are those of the vertices. Labels are in no order.

        teravox skeleton measure ./seg --output measures.csv
    """

    layer: Layer
    output: Annotated[str, says("File to write the table to, as FILE.csv or FILE.parquet.", form="file", short="o")]
    label: Annotated[
        tuple[Annotated[int, Meta(gt=0)], ...], says("Labels to be measured. Default: all.", positional=True)
    ] = ()
    quiet: Quiet = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.cli.progress import show_progress
        from teravox.pipeline.label_tables.export import check_output, write_table
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.skeletons.measuring import COLUMNS, measure_all
        from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

        check_output(self.output)
        source = SkeletonSource.open(OpenLayer.open(self.layer, fresh=True))
        wanted = dict.fromkeys(self.label)
        missing = [label for label in wanted if not source.has(label)]
        if missing:
            raise BadOption(f"LABEL: {source.url} has no skeleton of {', '.join(map(str, missing[:10]))}")
        with show_progress(
            "skeleton measure", lambda: len(wanted) or sum(1 for _ in source.labels()), quiet=self.quiet
        ) as progress:
            write_table(COLUMNS, measure_all(source, list(wanted) or None, progress), self.output)
        if not self.quiet:
            print(f"{progress.done:,} skeletons measured: {Path(self.output.removeprefix('file://')).absolute()}")
        return ExitCode.DONE
