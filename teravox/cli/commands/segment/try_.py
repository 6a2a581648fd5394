"""`teravox segment try`: one block, segmented here and shown in the browser."""

from __future__ import annotations

from typing import Annotated

from teravox.cli.command import Call, Command
from teravox.cli.commands.view import View
from teravox.cli.serving import Browser, Port
from teravox.pipeline.box import Box
from teravox.pipeline.options import FillMissing, Mip, Source, says
from teravox.pipeline.segmentation.declaration import Agglomerate, Predict, StepsFile, Supervoxels
from teravox.pipeline.units import say_seconds


class Try(Command, frozen=True):
    """Segment one box here, and show it in the browser.

    Image, prediction and labels are shown together. It takes the steps as `teravox segment` does. Nothing is left behind: the layers that it shows are removed when it
    ends, with Ctrl-C.

        teravox segment try ./em 0,0,0:128,128,64 --predict membrane:sigma=2
    """

    source: Source
    box: Annotated[Box, says("What to segment, as x0,y0,z0:x1,y1,z1 in voxels of --mip.", positional=True)]
    mip: Mip = 0
    steps: StepsFile = None
    predict: Predict = None
    supervoxels: Supervoxels = None
    agglomerate: Agglomerate = None
    fill_missing: FillMissing = False
    browser: Browser = True
    port: Port = None

    def run(self, call: Call) -> int:
        from tempfile import TemporaryDirectory

        from teravox.pipeline.limits import granted_memory
        from teravox.pipeline.segmentation.trial import try_block
        from teravox.tasks.segment import Segment

        with TemporaryDirectory(prefix="teravox-try-") as folder:
            job = Segment(
                source=self.source,
                dest=folder,
                mip=self.mip,
                bounds=self.box,
                shape=self.box.size,
                halo=(0, 0, 0),
                steps=self.steps,
                predict=self.predict,
                supervoxels=self.supervoxels,
                agglomerate=self.agglomerate,
                keep="predictions",  # so that it is made once
                fill_missing=self.fill_missing,
                memory_limit=granted_memory()[0],
            ).settled()
            trial = try_block(job)
            print(
                f"{trial.number:,} labels; predicted in {say_seconds(trial.seconds_to_predict)}, and segmented in "
                f"{say_seconds(trial.seconds_to_segment)} more.",
                flush=True,
            )
            view = View(
                layer=(self.source, trial.prediction, trial.labels),
                browser=self.browser,
                port=self.port,
                position=self._middle(),
            )
            return view.run(call)

    def _middle(self) -> tuple[float, float, float]:
        """Where to look, in voxels of full size."""
        from teravox.pipeline.layers.layer import Layer

        layer = Layer.open(self.source)
        fine, ours = layer.scale(0).resolution, layer.scale(self.mip).resolution
        x, y, z = (
            (a + b) / 2 * large / small
            for a, b, large, small in zip(self.box.min, self.box.max, ours, fine, strict=True)
        )
        return (x, y, z)
