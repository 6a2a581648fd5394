"""`teravox demo`: from nothing to a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.options import Parallel, Quiet
from teravox.cli.progress import show_progress
from teravox.pipeline.box import Vec
from teravox.pipeline.demo import material, place
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says
from teravox.pipeline.worker.settings import WorkerSettings

PIPELINE = "em_to_scene.toml"
FOLDER = "teravox-demo"


class Demo(Command, frozen=True):
    """Draw a small piece of brain, and take it from micrographs to a scene.

    FOLDER gets a stack of micrographs, the truth about it and a pipeline file, and this is run: segmentation, stitching,
    pyramids, meshes, skeletons, a table of sizes, and a comparison with the truth. It takes about a minute.
    It may be interrupted and started again at any time: what is done stays done. Change a value in FOLDER/em_to_scene.toml
    and start it again, and what depends on it is done anew.

        teravox demo
        teravox view teravox-demo/scene.json
    """

    folder: Annotated[
        str | None,
        says(
            f"Folder to work in: one that is new, empty, or of an earlier demo. Default: {FOLDER}.",
            form="path",
            positional=True,
        ),
    ] = None
    size: Annotated[Vec | None, says(f"Size of the volume, in voxels. Default: {','.join(map(str, place.SIZE))}.")] = (
        None
    )
    seed: Annotated[
        Annotated[int, Meta(ge=0)] | None, says(f"Another number draws another volume. Default: {place.SEED}.")
    ] = None
    parallel: Parallel = 0
    quiet: Quiet = False

    def run(self, call: Call) -> int:
        from teravox.pipeline.storage.errno_sentences import explain

        folder = Path(self.folder or FOLDER).absolute()
        try:
            self._furnish(folder)
        except KeyboardInterrupt:
            print("\nStopped. The same command again goes on where it was.")
            return ExitCode.INTERRUPTED
        except OSError as error:
            raise explain(error, "write", str(folder)) from error
        return self._run(folder, call)

    def _furnish(self, folder: Path) -> None:
        """Bring into the folder what the pipeline begins with."""
        from teravox.pipeline.demo.examples import read_example
        from teravox.pipeline.storage.atomic_write import write_atomic

        drawing = place.claim(folder, self.size, self.seed)
        if not material.is_drawn(folder):
            with show_progress("draw", lambda: len(material.boxes(drawing)), quiet=self.quiet) as progress:
                material.draw(folder, drawing, progress)
        if not (folder / PIPELINE).exists():
            write_atomic(str(folder / PIPELINE), read_example(PIPELINE))

    def _run(self, folder: Path, call: Call) -> int:
        from teravox.cli.run_pipeline import HowItIsDriven, run_file
        from teravox.pipeline.demo.outcome import say_outcome
        from teravox.pipeline.limits import granted_cores

        worker = WorkerSettings(
            processes=self.parallel or granted_cores(), exit_on_empty=True, plugins=call.registry.plugins, quiet=True
        )
        code = run_file(
            str(folder / PIPELINE), HowItIsDriven(folder=str(folder), worker=worker, quiet=self.quiet), call
        )
        if code == ExitCode.DONE and not self.quiet:
            for sentence in say_outcome(folder):
                print(sentence)
        return code
