"""`teravox learn suggest`: which slices to label next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.learning import LabelLayer
from teravox.cli.options import AsJson, Quiet
from teravox.kernels.learning.measures import DEFAULT, Measure
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.learning.axes import AnyAxis
from teravox.pipeline.options import Bounds, FillMissing, Layer, says

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model
    from teravox.pipeline.learning.suggestion import Suggestion


class Suggest(Command, frozen=True):
    """Say which slices of an image are worth labelling next.

    It looks at some slices, evenly spread along an axis, and prefers those of which the model is unsure and that look
    unlike all labelled ones; slices near each other are not suggested together. Of each it names the place of which the
    model is least sure. Without --model, as before the first label, it takes slices that look unlike each other. Nothing
    is written.

        teravox learn suggest ./em ./labels --model cells.model

    Label a slice or two of them, train anew, and ask again.
    """

    image: Layer
    labels: LabelLayer
    model: Annotated[
        str | None, says("Model that the labels made so far, as FILE.model. Default: none.", form="path")
    ] = None
    axis: Annotated[AnyAxis, says("Axis across the slices. auto: the shortest one, whose slices are the largest.")] = (
        "auto"
    )
    number: Annotated[int, Meta(ge=1, le=1000), says("How many slices to suggest.")] = 5
    slices: Annotated[int, Meta(ge=2, le=10_000), says("How many slices without labels to look at.")] = 24
    measure: Annotated[
        Measure,
        says(
            "How unsure: margin, the lead of the likeliest class; entropy; or least-confidence, how unlikely the likeliest is."
        ),
    ] = DEFAULT
    bounds: Bounds = None
    seed: Annotated[int, Meta(ge=0), says("Which slices are looked at, and where in large ones.")] = 0
    fill_missing: FillMissing = False
    json: Annotated[AsJson, says("Print the suggestions as JSON.")] = False
    quiet: Quiet = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.cli.progress import show_progress
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.learning.fit import refuse_misfit
        from teravox.pipeline.learning.labels import open_labels
        from teravox.pipeline.learning.suggestion import count_looks, suggest

        model = self._model()
        image, labels = OpenLayer.open(self.image, fresh=True), open_labels(self.labels)
        mip = labels.mip_of(image)
        if model is not None:
            refuse_misfit(model, image, mip, "--model")

        def looks() -> int:
            return count_looks(image, mip, self.axis, self.slices, self.bounds)

        try:
            with show_progress("suggest", looks, quiet=self.quiet or self.json) as progress:
                found = suggest(
                    image,
                    mip,
                    labels,
                    model,
                    axis=self.axis,
                    number=self.number,
                    slices=self.slices,
                    seed=self.seed,
                    measure=self.measure,
                    box=self.bounds,
                    fill_missing=self.fill_missing,
                    progress=progress,
                )
        except KeyboardInterrupt:
            print("\nStopped. Nothing is written by this command; it begins anew.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if self.json:
            print(msgspec.json.encode([one._asdict() for one in found]).decode())
        else:
            _print(found, with_model=model is not None)
        return ExitCode.DONE

    def _model(self) -> Model | None:
        from teravox.kernels.learning.model import read_model

        if self.model is None:
            return None
        try:
            return read_model(self.model)
        except OSError as error:
            raise BadOption(f"--model: cannot read {self.model}: {error.strerror}") from None
        except ValueError as error:
            raise BadOption(f"--model: {error}") from None


def _print(found: list[Suggestion], *, with_model: bool) -> None:
    if not found:
        print("Every slice has labels.")
        return
    print(f"slice     {'uncertainty  ' if with_model else ''}look at (x,y,z)")
    for one in found:
        unsure = f"{one.uncertainty:11.3f}  " if with_model else ""
        print(f"{one.axis} = {one.position:<6}{unsure}{','.join(map(str, one.place))}")
