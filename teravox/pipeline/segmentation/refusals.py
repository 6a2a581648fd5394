"""What built-in steps refuse whatever the image holds, heard before anything is written or queued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.segmentation.layer_input import channels_of
from teravox.pipeline.segmentation.step_functions import BoundStep, Place

if TYPE_CHECKING:
    from teravox.pipeline.segmentation.plan import Plan

NOTHING = (0, 0, 0)  # voxels
ANY = 0.5  # in place of a threshold that is not found yet: a grey value and a share


def hear_refusals(plan: Plan) -> None:
    """Call the built-in steps with arrays of no voxels, of the right types and channels; BadUsage names the option.

    Steps of people's own are not called: nobody knows what they would do.
    """
    import numpy as np

    info = plan.input.layer.info
    gray = np.zeros(NOTHING if info.num_channels == 1 else (*NOTHING, info.num_channels), info.data_type)
    prediction = np.zeros((*NOTHING, channels_of(plan.chain.predict, plan.input, plan.zyx)), np.float32)
    labels = np.zeros(NOTHING, np.uint32)
    given = {"predict": (gray, None), "supervoxels": (prediction, None), "agglomerate": (prediction, labels)}
    place = Place(plan.zyx, NOTHING, ((0, 0), (0, 0), (0, 0)))
    for step in filter(lambda step: ":" not in step.name, plan.chain.steps):
        try:
            step._replace(parameters=step.parameters | _thresholds(step)).call(*given[step.what], place)
        except ValueError as error:
            raise step.refused(error) from None


def _thresholds(step: BoundStep) -> dict[str, Any]:
    """Some numbers for those thresholds that are words."""
    from teravox.kernels.segmentation.step import left_to_image
    from teravox.pipeline.contrast.thresholds import read_word

    words = {
        name: value
        for name in left_to_image(step.declared.function, step.parameters)
        if isinstance(value := step.parameters[name], str)
    }
    for word in words.values():
        read_word(word)
    return dict.fromkeys(words, ANY)
