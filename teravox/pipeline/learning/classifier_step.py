"""Whether the step of a classifier can do what it is told with an image, known before any block is read."""

from __future__ import annotations

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.fit import refuse_misfit
from teravox.pipeline.segmentation.step_functions import BoundStep
from teravox.pipeline.segmentation.steps import CLASSIFIER

OPTION = "--predict"


def check_classifier(step: BoundStep, image: Layer, mip: int) -> None:
    """Raise BadUsage where a model cannot be read, is not made for the image, or lacks a class that is named."""
    if step.name != CLASSIFIER:
        return
    from teravox.kernels.learning.use import boundary_classes, model_of

    try:
        model = model_of(step.parameters["model"])
        boundary_classes(model, step.parameters["boundary"], step.parameters["objects"])
    except ValueError as error:
        raise BadUsage(f"{OPTION}: {error}") from None
    refuse_misfit(model, image, mip, OPTION)
