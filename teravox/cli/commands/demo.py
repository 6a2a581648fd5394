"""`teravox demo`: from nothing to a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.options import Parallel, Quiet
from teravox.cli.progress import show_progress
from teravox.cli.workers_here import workers_here
from teravox.pipeline.box import Vec
from teravox.pipeline.demo import material, place
from teravox.pipeline.demo.choices import CHOICES, Data, pipeline_of
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says

FOLDER = "teravox-demo"
SIZES = ", ".join(f"{','.join(map(str, choice.size))} of {data}" for data, choice in CHOICES.items())


class Demo(Command, frozen=True):
    """Draw a small piece of brain, beads or fibres, and take it to a scene.

    FOLDER gets a stack of slices, the truth about it and a pipeline file, and this is run: segmentation, stitching,
    pyramids, meshes, skeletons, a table of sizes, and a comparison with the truth. It takes about a minute.
    It may be interrupted and started again at any time: what is done stays done. Change a value in FOLDER/em_to_scene.toml
    (or microct_beads.toml, fibres.toml) and start it again, and what depends on it is done anew.

        teravox demo
        teravox view teravox-demo/scene.json
        teravox demo ./beads --data beads
    """

    folder: Annotated[
        str | None,
        says(
            f"Folder to work in: one that is new, empty, or of an earlier demo. Default: {FOLDER}.",
            form="path",
            positional=True,
        ),
    ] = None
    data: Annotated[
        Data | None,
        says(
            "What is drawn: nervous tissue in an electron microscope, or beads or fibres in X-ray tomography. "
            "Default: brain."
        ),
    ] = None
    size: Annotated[Vec | None, says(f"Size of the volume, in voxels. Default: {SIZES}.")] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0)] | None, says(f"Another number draws another volume. Default: {place.SEED}.")
    ] = None
    parallel: Parallel = 0
    quiet: Quiet = False

    def run(self, call: Call) -> int:
        from teravox.pipeline.storage.errno_sentences import explain

        folder = Path(self.folder or FOLDER).absolute()
        try:
            pipeline = self._furnish(folder)
        except KeyboardInterrupt:
            print("\nStopped. The same command again goes on where it was.")
            return ExitCode.INTERRUPTED
        except OSError as error:
            raise explain(error, "write", str(folder)) from error
        return self._run(folder, pipeline, call)

    def _furnish(self, folder: Path) -> Path:
        """Bring into the folder what the pipeline begins with; its file."""
        from teravox.pipeline.storage.atomic_write import write_atomic

        drawing = place.claim(folder, self.data, self.size, self.seed)
        if not material.is_drawn(folder, drawing):
            with show_progress("draw", lambda: len(material.boxes(drawing)), quiet=self.quiet) as progress:
                material.draw(folder, drawing, progress)
        choice = CHOICES[drawing.data]
        pipeline = folder / choice.example
        if not pipeline.exists():
            write_atomic(str(pipeline), pipeline_of(choice))
        return pipeline

    def _run(self, folder: Path, pipeline: Path, call: Call) -> int:
        from teravox.cli.run_pipeline import HowItIsDriven, run_file
        from teravox.pipeline.demo.outcome import say_outcome

        worker = workers_here(call, self.parallel)
        code = run_file(str(pipeline), HowItIsDriven(folder=str(folder), worker=worker, quiet=self.quiet), call)
        if code == ExitCode.DONE and not self.quiet:
            for sentence in say_outcome(folder):
                print(sentence)
        return code
