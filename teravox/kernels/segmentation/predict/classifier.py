"""What a classifier says that has learnt from a few labels."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.learning import features
from teravox.kernels.learning.parts import cut_parts, where_wanted
from teravox.kernels.learning.use import boundary_classes, check_image, model_of, sum_classes
from teravox.kernels.segmentation.checks import Mask, Prediction, check_at_least
from teravox.kernels.segmentation.grey import Grey
from teravox.kernels.segmentation.patches import Box, Vec
from teravox.kernels.segmentation.step import Margin, gives, holds, looks_around, takes
from teravox.kernels.segmentation.step_file import StepFile

WORKING_MEMORY = 400_000_000


def _margin(*, model: StepFile, **_: object) -> Margin:
    found = model_of(model)
    if found.unit == "supervoxels":
        from teravox.kernels.learning import supervoxel_prediction

        return supervoxel_prediction.margin(found)
    return features.margin(found.selection, found.scale)


def _memory(*, model: StepFile, boundary: str | None, objects: tuple[str, ...], **_: object) -> float:
    found = model_of(model)
    if found.unit == "supervoxels":
        from teravox.kernels.learning import supervoxel_prediction

        return supervoxel_prediction.memory(found) + (4.0 if boundary or objects else 0.0)
    return 4.0 * _channels(model=model, boundary=boundary, objects=objects)


def _fixed(*, working_memory: int, **_: object) -> int:
    return working_memory


def _channels(*, model: StepFile, boundary: str | None, objects: tuple[str, ...], **_: object) -> int:
    return 1 if boundary is not None or objects else len(model_of(model).classes)


@takes(_memory)
@holds(_fixed)
@gives(_channels)
@looks_around(_margin)
def predict(
    gray: Grey,
    mask: Mask | None,
    *,
    model: Annotated[
        StepFile, "the file of the model, as `teravox learn train` writes it, or a project of ilastik (.ilp)"
    ],
    boundary: Annotated[
        str | None,
        "name of the class that is boundary: it alone is predicted. Default: all classes, the first one first",
    ] = None,
    objects: Annotated[
        tuple[str, ...],
        "names of the classes that are objects: what is none of them is boundary, and is predicted alone",
    ] = (),
    working_memory: Annotated[int, "bytes that the features of some planes may take at a time"] = WORKING_MEMORY,
    corner: Vec = (0, 0, 0),
    kept: Box | None = None,
) -> Prediction:
    """A classifier that was trained on labels: `teravox learn train`, or a project of ilastik.

    Its channels are the probabilities of the classes. For bodies, one channel must be the boundary: the first class
    is, unless `boundary` or `objects` say otherwise.
    """
    check_at_least("working_memory", working_memory, 0)
    found = model_of(model)
    check_image(found, gray)
    classes = boundary_classes(found, boundary, objects)
    kept = where_wanted(mask, kept or ((0, gray.shape[0]), (0, gray.shape[1]), (0, gray.shape[2])))
    if found.unit == "supervoxels":
        from teravox.kernels.learning import supervoxel_prediction

        made = supervoxel_prediction.predict(gray, found, corner, kept, working_memory)
        return sum_classes(made, classes)
    channels = 1 if classes else len(found.classes)
    result = np.zeros((*gray.shape[:3], channels), np.float32)
    for place, values in cut_parts(gray, found, kept, working_memory):
        made = found.forest.predict(values.reshape(len(values), -1)).reshape(*values.shape[1:], -1)
        result[place] = sum_classes(made, classes)
        del values, made  # before the next ones are computed
    return result
