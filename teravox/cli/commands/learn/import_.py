"""`teravox learn import`: a project of ilastik as a model and as a layer of labels."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.learning import MethodName, output_path
from teravox.cli.options import AsJson, Quiet
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.learning.wish import USUAL, Wish
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.kernels.learning.ilastik.project import Project
    from teravox.kernels.learning.model import Model
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.learning.ilastik.project_file import ProjectFile


class Import(Command, frozen=True):
    """Take over what was begun in ilastik: its classifier and its labels.

    It reads projects of Pixel Classification. The classifier that the project keeps becomes a model, which predicts what
    ilastik predicts. Where it keeps none, or with --retrain, one is trained from its labels and its image. With --labels
    the labels become a layer, for teravox learn label and train. Without --output and --labels it says what is in the
    project. The project is only read.

        teravox learn import cells.ilp --output cells.model
        teravox learn import cells.ilp --labels ./labels --image ./em
    """

    project: Annotated[str, says("Project of ilastik, an .ilp file.", form="path", positional=True)]
    output: Annotated[str | None, says("File for the model, as FILE.model.", form="path", short="o")] = None
    labels: Annotated[
        str | None, says("Layer for the labels: a new one, or one that gets them too. Needs --image.", form="layer")
    ] = None
    image: Annotated[
        str | None,
        says(
            "Layer that holds the image of the project. It is needed for --labels, and to train where the project does not "
            "hold its image and no file beside it does.",
            form="layer",
        ),
    ] = None
    mip: Annotated[int, Meta(ge=0), says("Level of --image that is the image of the project.")] = 0
    lane: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        says("Which image of the project, counted from 0. Default: the only one with labels; to train, all of these."),
    ] = None
    retrain: Annotated[bool, says("Train a classifier from the labels, also where the project keeps one.")] = False
    method: MethodName = USUAL.method
    seed: Annotated[int, Meta(ge=0), says("What is chosen by chance in training.")] = 0
    json: Annotated[AsJson, says("Print what is in the project as JSON.")] = False
    quiet: Quiet = False

    def run(self, call: Call) -> int:
        from teravox.kernels.learning.model_file import SUFFIX
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.learning.ilastik.exported_labels import check_labels, export_labels
        from teravox.pipeline.learning.ilastik.project_file import ProjectFile
        from teravox.pipeline.storage.atomic_write import write_atomic
        from teravox.pipeline.storage.errno_sentences import explain

        output = None if self.output is None else output_path(self.output, SUFFIX, "by which a model is known")
        self._check(call)
        file = ProjectFile(self.project)
        project = file.read(with_forest=not self.retrain)
        lanes = self._lanes(project, file)
        image = OpenLayer.open(self.image) if self.image is not None else None
        if self.json or (output is None and self.labels is None):
            self._tell(project, lanes)
        if self.labels is not None and image is not None:
            check_labels(file, project, self._one(lanes), image, self.mip)
        try:
            model = None if output is None else self._model(file, project, sorted(lanes), image)
            if self.labels is not None and image is not None:
                written = export_labels(file, project, self._one(lanes), image, self.mip, self.labels)
                self._say(f"{sum(lanes.values()):,} labelled voxels are in {written.url}.")
        except KeyboardInterrupt:
            print("\nStopped; no model was written. The same command begins anew.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if model is not None:
            from teravox.kernels.learning.model import model_to_bytes

            try:
                write_atomic(str(output), model_to_bytes(model))
            except OSError as error:
                raise explain(error, "write", str(output)) from error
            self._say(f"The model is {output}. Predict with: teravox segment SOURCE DEST --predict {output}")
        return ExitCode.DONE

    def _check(self, call: Call) -> None:
        if self.labels is not None and self.image is None:
            raise BadOption("--labels: needs --image, the layer that holds the image of the project")
        if self.image is not None and self.labels is None and self.output is None:
            raise BadOption("--image: means nothing without --labels or --output; leave it out")
        if self.image is None and "mip" in call.given and self.mip:
            raise BadOption("--mip: is the level of --image, which is not given; leave it out")
        if self.retrain and self.output is None:
            raise BadOption("--retrain: needs --output, the file for the model")

    def _lanes(self, project: Project, file: ProjectFile) -> dict[int, int]:
        """The images that are meant, and how many voxels of each have a label."""
        labelled = file.labelled_lanes(project)
        if self.lane is None:
            return labelled
        if self.lane >= len(project.lanes):
            raise BadOption(f"--lane: {self.project} has {len(project.lanes)} images, counted from 0")
        return {self.lane: labelled[self.lane]} if self.lane in labelled else {}

    def _one(self, lanes: dict[int, int]) -> int:
        """The image that a layer stands for."""
        if not lanes:
            which = self.project if self.lane is None else f"image {self.lane} of {self.project}"
            raise BadOption(f"--labels: {which} has no labels")
        if len(lanes) > 1:
            said = ", ".join(map(str, lanes))
            raise BadOption(f"--lane: images {said} of {self.project} have labels; say which of them --image is")
        return next(iter(lanes))

    def _model(self, file: ProjectFile, project: Project, lanes: list[int], image: OpenLayer | None) -> Model:
        from teravox.cli.progress import show_progress
        from teravox.kernels.learning.ilastik.model import as_model
        from teravox.pipeline.learning.ilastik.raw_image import LayerImage
        from teravox.pipeline.learning.ilastik.retrain import retrain

        if project.forest is not None:
            self._say(f"The forest of the project has {len(project.forest.trees)} trees.")
            return as_model(project, project.forest, {"classifier": "the project's own"})
        if not self.retrain:
            self._say(f"{self.project} keeps no classifier: one is trained from its labels.")
        own = LayerImage(image, self.mip) if image is not None else None
        if own is not None:
            lanes = [self._one(dict.fromkeys(lanes, 1))]
        total = sum(file.labelled_lanes(project)[lane] for lane in lanes)
        with show_progress("labels", lambda: total, quiet=self.quiet or self.json) as progress:
            return retrain(file, project, lanes, own, Wish(self.method, seed=self.seed), progress)

    def _tell(self, project: Project, lanes: dict[int, int]) -> None:
        """What is in a project."""
        facts = {
            "version": project.version,
            "classes": [one.name for one in project.classes],
            "features": [str(one) for one in project.selection],
            "channels": project.channels,
            "trees": len(project.forest.trees) if project.forest is not None else 0,
            "images": [
                {
                    "axes": lane.axes,
                    "shape": lane.shape,
                    "in the project": lane.inside is not None,
                    "path": lane.path,
                    "labelled voxels": lanes.get(number, 0),
                }
                for number, lane in enumerate(project.lanes)
            ],
        }
        if self.json:
            print(json.dumps(facts, indent=2))
            return
        print(f"{self.project} is a project of ilastik {project.version}.")
        print(f"classes   {', '.join(one.name for one in project.classes)}")
        print(f"features  {len(project.selection)}, for images of {project.channels} channels")
        print(f"trees     {facts['trees'] or 'none: it was not trained, or not saved after that'}")
        for number, lane in enumerate(project.lanes):
            size = "x".join(map(str, lane.shape)) if lane.shape else "unknown size"
            where = "in the project" if lane.inside else lane.path or "nowhere"
            print(f"image {number}   {lane.axes} of {size}, {where}; {lanes.get(number, 0):,} labelled voxels")

    def _say(self, text: str) -> None:
        if not (self.quiet or self.json):
            print(text, flush=True)
