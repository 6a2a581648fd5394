"""`teravox learn predict`: a classifier over the whole image, as tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.run_kind import HowItIsAsked, HowItIsRun, run_kind
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.options import Bounds, Dest, EncodingName, FillMissing, Memory, Mip, Source, says
from teravox.pipeline.segmentation.declaration import BlockShape, Roi, RoiMip

KIND = "segment"


class Predict(Command, HowItIsRun, frozen=True, kw_only=True, rename={"memory_limit": "memory"}):
    """Predict the classes of a whole image by a trained model.

    It makes the tasks of teravox segment, with the model as --predict, for workers at --queue or done here and now.
    The model goes with the job: workers find it in DEST. classes: a layer with the likeliest class of each voxel, which
    teravox image ccl auto and image count take. probabilities: a layer with a channel for each class. For bodies, give
    the model to teravox segment itself.

        teravox learn predict ./em ./classes --model cells.model
    """

    source: Source
    dest: Dest
    model: Annotated[
        str, says("Model, as FILE.model of teravox learn train, or a project of ilastik, FILE.ilp.", form="path")
    ]
    output: Annotated[
        Literal["classes", "probabilities"], says("What is written: the likeliest class, or those of all classes.")
    ] = "classes"
    data_type: Annotated[
        Literal["uint8", "float32"], says("How probabilities are kept: uint8 is 255 times as much.")
    ] = "uint8"
    mip: Mip = 0
    bounds: Bounds = None
    shape: BlockShape = None
    roi: Roi = None
    roi_mip: RoiMip = None
    encoding: Annotated[EncodingName | None, says("How the chunks of DEST are encoded. Default: raw.")] = None
    fill_missing: FillMissing = False
    memory_limit: Memory = 3_500_000_000

    def run(self, call: Call) -> int:
        from teravox.pipeline.segmentation.steps import CLASSIFIER, MODEL_ENDINGS, Step
        from teravox.tasks.segment import Segment

        if not self.model.endswith(MODEL_ENDINGS):
            raise BadOption(f"--model: {self.model} does not end with {' or '.join(MODEL_ENDINGS)}")
        try:
            KnownFile.at(self.model)
        except BadUsage as error:
            raise BadOption(f"--model: {error}") from None
        job = Segment(
            source=self.source,
            dest=self.dest,
            mip=self.mip,
            bounds=self.bounds,
            shape=self.shape,
            predict=Step(CLASSIFIER, {"model": self.model}),
            roi=self.roi,
            roi_mip=self.roi_mip,
            output=self.output,
            data_type=self.data_type,
            encoding=self.encoding,
            fill_missing=self.fill_missing,
            memory_limit=self.memory_limit,
        )
        return run_kind(KIND, job.settled(), self, HowItIsAsked(), call)
