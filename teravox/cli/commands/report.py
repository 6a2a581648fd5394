"""`teravox report`: one page about the quality and the cost of a layer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.options import AsJson, Quiet
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Layer, says

if TYPE_CHECKING:
    from teravox.pipeline.quality.measure import Quality
    from teravox.pipeline.verification.verify import Verified

HERE = "report.html"
ENDINGS = (".html", ".htm")


class Report(Command, frozen=True):
    """Write one page about how good a layer is, and what it cost.

    The page is a single file that needs no network and no program: slices of every mip, a map of the chunks that are
    there, sizes of labels, a score of seams between pieces, storage by mip, jobs with their slowest and heaviest tasks.
    What would take long is sampled, and the page says how much of it was looked at. The layer is only read.

        teravox report ./seg --output report.html
    """

    layer: Layer
    output: Annotated[
        str | None, says("File to write, as FILE.html. Default: report.html.", form="file", short="o")
    ] = None
    samples: Annotated[
        int,
        Meta(ge=1),
        says(
            "How many places on borders, meshes and skeletons to look at; also most shards of a mip whose index is read."
        ),
    ] = 300
    seed: Annotated[int, Meta(ge=0), says("What is looked at where that is chosen by chance.")] = 0
    verify: Annotated[bool, says("Verify the layer as well, as teravox verify does, and tell what was found.")] = False
    json: Annotated[AsJson, says("Print the figures as JSON, and write no page.")] = False
    quiet: Quiet = False

    def run(self, call: Call) -> int:
        from teravox.pipeline.quality.page.write import write_page
        from teravox.pipeline.storage.atomic_write import write_atomic
        from teravox.pipeline.storage.errno_sentences import explain

        if self.json and self.output is not None:
            raise BadOption("--output: means nothing with --json, which prints the figures and writes no page")
        path = None if self.json else self._path()
        try:
            seen = self._measure(call)
        except KeyboardInterrupt:
            print("\nStopped, and nothing was written. The same command begins anew.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if path is None:
            self._print(seen)
            return ExitCode.DONE
        try:
            write_atomic(str(path), write_page(seen))
        except OSError as error:
            raise explain(error, "write", str(path)) from error
        if not self.quiet:
            print(f"The report is in {path}. Open it in a browser.")
        return ExitCode.DONE

    def _path(self) -> Path:
        output = self.output or HERE
        path = Path(output.removeprefix("file://")).absolute()
        if "://" in output.removeprefix("file://"):
            raise BadOption(f"--output: {output} is no file of this machine; name one, and copy it from there")
        if path.suffix.lower() not in ENDINGS:
            raise BadOption(f"--output: {output} does not end with .html, as a page must for a browser to show it")
        if path.is_dir() or not path.parent.is_dir():
            there = "is a folder" if path.is_dir() else f"lies in {path.parent}, which is no folder"
            raise BadOption(f"--output: {output} {there}; name a file in a folder that is there")
        return path

    def _measure(self, call: Call) -> Quality:
        from teravox.cli.progress import show_progress
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.quality.measure import Measuring, count_steps

        layer = OpenLayer.open(self.layer, fresh=True)
        with show_progress("report", lambda: count_steps(layer), quiet=self.quiet or self.json) as progress:
            seen = Measuring(layer, call.registry, self.samples, self.seed, progress).run()
        return msgspec.structs.replace(seen, verified=self._verify(call)) if self.verify else seen

    def _verify(self, call: Call) -> Verified:
        from teravox.cli.verification import watch
        from teravox.pipeline.verification.look import Closeness
        from teravox.pipeline.verification.verify import open_look, verify

        look = open_look(self.layer, Closeness(seed=self.seed), call.registry)
        with watch(quiet=self.quiet or self.json) as progress:
            return verify(look, (), progress)

    def _print(self, seen: Quality) -> None:
        """The figures without pictures."""
        from teravox.pipeline.quality.figures import encode_figures

        print(encode_figures(seen).decode())
