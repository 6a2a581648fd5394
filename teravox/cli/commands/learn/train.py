"""`teravox learn train`: a classifier from labels."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from teravox.cli.command import Call
from teravox.cli.learning import Learning, output_path
from teravox.cli.options import AsJson
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model


class Train(Learning, frozen=True, kw_only=True):
    """Train a classifier by the labels of a few voxels.

    It computes the features of the labelled voxels, of which only the surroundings are read, and learns to tell the
    classes apart by them. All classes count the same, however many labels each has, unless --weights says otherwise. It
    says how many labels it tells right that it had not learnt from. The model is one small file, for teravox learn predict and segment --predict.
    Training needs LightGBM and scikit-learn: pip install 'teravox[learn]'.

        teravox learn train ./em ./labels -o membranes.model
    """

    output: Annotated[str, says("File for the model, as FILE.model.", form="path", short="o")]
    json: Annotated[AsJson, says("Print what the model says of itself as JSON.")] = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.cli.progress import show_progress
        from teravox.kernels.learning.model import model_to_bytes
        from teravox.kernels.learning.model_file import SUFFIX
        from teravox.pipeline.learning.training import train_model
        from teravox.pipeline.learning.wish import require_training
        from teravox.pipeline.storage.atomic_write import write_atomic
        from teravox.pipeline.storage.errno_sentences import explain

        path = output_path(self.output, SUFFIX, "by which a model is known")
        selection = self.selection()
        require_training()
        image, mip, labels = self.open()
        quiet = self.quiet or self.json
        try:
            with show_progress("train", lambda: self.count(image, mip, labels), quiet=quiet) as progress:
                model = train_model(
                    image,
                    mip,
                    labels,
                    selection,
                    self.wish(),
                    supervoxels=self.how(image, mip),
                    box=self.bounds,
                    at_most=self.at_most,
                    fill_missing=self.fill_missing,
                    progress=progress,
                )
        except KeyboardInterrupt:
            print("\nStopped, and no model was written. The same command begins anew.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        try:
            write_atomic(str(path), model_to_bytes(model))
        except OSError as error:
            raise explain(error, "write", str(path)) from error
        self._tell(model)
        return ExitCode.DONE

    def _tell(self, model: Model) -> None:
        import json

        if self.json:
            print(json.dumps(model.record, indent=1, sort_keys=True))
            return
        if self.quiet:
            return
        record = model.record
        for name, labelled in record["labelled"].items():
            print(f"{name:20}{labelled:>12,} labelled voxels")
        held = record["held back"]
        if held["accuracy"] is None:
            print(f"How good it is cannot be said: {held['reason']}.")
        else:
            by_class = ", ".join(f"{name} {100 * share:.1f} %" for name, share in held["by class"].items())
            print(f"Of labels that were held back, {100 * held['accuracy']:.1f} % are told right ({by_class}).")
        print(
            f"The model is {self.output}. Predict with: teravox learn predict {self.image} DEST --model {self.output}"
        )
