"""`teravox image threshold`: grey values that part the dark from the bright voxels of an image."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.options import AsJson
from teravox.cli.say import plain
from teravox.pipeline.contrast.options import LevelsPlace
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Layer, Mip, says


class Threshold(Command, frozen=True):
    """Find Otsu's thresholds of a whole image, by the counts of its grey values.

    The counts are those of `image contrast histogram`, which must be there; of float32, some chunks are counted now. A
    voxel is brighter than a threshold if its value is at least that. These are the values that `otsu` and
    `otsu:CLASSES/WHICH` mean as a parameter of steps of `teravox segment`.

        teravox image contrast histogram ./ct
        teravox image threshold ./ct --classes 3
    """

    layer: Layer
    mip: Mip = 0
    channel: Annotated[int, Meta(ge=0), says("Channel of the image, counted from 0.")] = 0
    classes: Annotated[
        int, Meta(ge=2, le=9), says("How many classes there are; between them lies one threshold less.")
    ] = 2
    levels: LevelsPlace = None
    json: AsJson = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        import msgspec

        from teravox.pipeline.contrast.thresholds import find_thresholds

        found = find_thresholds(self.layer, self.mip, self.channel, self.classes, self.levels)
        if self.json:
            print(msgspec.json.encode(found).decode())
            return ExitCode.DONE
        for number, share in enumerate(found.shares, 1):
            low = f"from {found.thresholds[number - 2]:g}" if number > 1 else "of the lowest values"
            high = f" up to {found.thresholds[number - 1]:g}" if number < found.classes else " on"
            print(plain(f"class {number} of {found.classes}: {low}{high}, {share:.1%} of {found.counted:,} voxels"))
        return ExitCode.DONE
