"""`teravox learn evaluate`: how good a classifier is on labels that it has not learnt from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from teravox.cli.command import Call
from teravox.cli.errors import BadOption
from teravox.cli.learning import Learning, output_path
from teravox.cli.options import AsJson
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model
    from teravox.kernels.learning.slic_tiles import Supervoxels
    from teravox.pipeline.learning.scoring import Scores

HERE = "evaluation.html"
OF_MODEL = ("filters", "sigmas", "flat", "features", "supervoxels", "method", "trees", "leaves", "weights", "folds")


class Evaluate(Learning, frozen=True, kw_only=True):
    """Say how well a classifier tells labels that it has not learnt from.

    The labels are cut into parts by their places in the volume, and each part is predicted by a classifier that has
    learnt from the others: neighbouring voxels are all but the same, and must not be learnt from and tested both. With
    --model one is tested that is there, on labels that it should not know. It writes one page with a confusion matrix,
    the scores of each class and their curves. The layers are only read.

        teravox learn evaluate ./em ./labels -o evaluation.html
        teravox learn evaluate ./em ./truth --model membranes.model
    """

    model: Annotated[
        str | None,
        says("Model to test, as FILE.model or FILE.ilp. Default: one is trained for each part.", form="path"),
    ] = None
    folds: Annotated[int, Meta(ge=2, le=100), says("Parts that the labels are cut into.")] = 5
    output: Annotated[
        str | None, says("Page to write, as FILE.html. Default: evaluation.html.", form="path", short="o")
    ] = None
    json: Annotated[AsJson, says("Print the figures as JSON, and write no page.")] = False

    def run(self, call: Call) -> int:
        import json

        from teravox.pipeline.learning.score_page import draw_scores
        from teravox.pipeline.storage.atomic_write import write_atomic
        from teravox.pipeline.storage.errno_sentences import explain

        if self.json and self.output is not None:
            raise BadOption("--output: means nothing with --json, which prints the figures and writes no page")
        typed = [name for name in OF_MODEL if name in call.given] if self.model is not None else []
        if typed:
            raise BadOption(f"--{typed[0].replace('_', '-')}: means nothing with --model, which was trained before")
        path = (
            None if self.json else output_path(self.output or HERE, ".html", "as a page must for a browser to show it")
        )
        try:
            scores = self._scores()
        except KeyboardInterrupt:
            print("\nStopped, and nothing was written. The same command begins anew.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if path is None:
            print(json.dumps(scores.to_json(), indent=1))
            return ExitCode.DONE
        try:
            write_atomic(str(path), draw_scores(scores))
        except OSError as error:
            raise explain(error, "write", str(path)) from error
        if not self.quiet:
            self._tell(scores)
            print(f"The page is {path}. Open it in a browser.")
        return ExitCode.DONE

    def _scores(self) -> Scores:
        from teravox.cli.progress import show_progress
        from teravox.pipeline.learning.fit import refuse_misfit
        from teravox.pipeline.learning.scoring import cross_validate, score_model
        from teravox.pipeline.learning.training import classes_of, gather_samples
        from teravox.pipeline.learning.wish import require_training

        model = self._model()
        selection = self.selection()
        if model is None:
            require_training()
        image, mip, labels = self.open()
        if model is not None:
            refuse_misfit(model, image, mip, "--model")
            selection = model.selection
        quiet = self.quiet or self.json
        with show_progress("labels", lambda: self.count(image, mip, labels), quiet=quiet) as progress:
            samples = gather_samples(
                image,
                mip,
                labels,
                selection,
                self._how(model) or self.how(image, mip),
                box=self.bounds,
                at_most=self.at_most,
                seed=self.seed,
                fill_missing=self.fill_missing,
                progress=progress,
            )
        classes, places = classes_of(labels, samples), (image.url, labels.url)
        if model is not None:
            return score_model(samples, classes, model, places)
        x, y, z = map(float, image.scale(mip).resolution)
        with show_progress("tests", lambda: self.folds, quiet=quiet) as progress:
            return cross_validate(samples, classes, self.wish(), self.folds, (z, y, x), places, progress)

    def _model(self) -> Model | None:
        from teravox.kernels.learning.model import model_from_bytes
        from teravox.pipeline.known_file import KnownFile

        if self.model is None:
            return None
        try:
            return model_from_bytes(KnownFile.at(self.model).read(), self.model)
        except ValueError as error:
            raise BadOption(f"--model: {error}") from None

    def _how(self, model: Model | None) -> Supervoxels | None:
        if model is None or model.supervoxels is None:
            return None
        from teravox.kernels.learning.slic_tiles import Supervoxels

        return Supervoxels.from_json(model.supervoxels)

    def _tell(self, scores: Scores) -> None:
        print(f"{'class':20}{'labels':>10}{'precision':>11}{'recall':>8}{'F':>8}{'AUC':>8}")
        for one, number, score in zip(scores.classes, scores.samples, scores.by_class, strict=True):
            figures = (score.precision, score.recall, score.f, score.roc_auc)
            said = [" none" if value is None else f"{value:.3f}" for value in figures]
            print(f"{one.name:20}{number:>10,}{said[0]:>11}{said[1]:>8}{said[2]:>8}{said[3]:>8}")
        print(f"{100 * scores.accuracy:.1f} % of the labels are told right.")
