"""Thresholds of steps that are words such as `otsu`: found in all of the image that a step cuts."""

from __future__ import annotations

from typing import Any

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.segmentation.declaration import Segmenting
from teravox.pipeline.segmentation.layer_input import LAYER_STEP, input_of
from teravox.pipeline.segmentation.pipeline_steps import bind_prediction
from teravox.pipeline.segmentation.steps import Step, What


def find_grey_value(step: Step, name: str, word: str, channel: int, job: Segmenting[Any]) -> float:
    """The grey value of the image that a word means."""
    return _find("predict", step, name, word, (job.source, job.mip, channel), job)


def find_share(step: Step, name: str, word: str, channel: int, job: Segmenting[Any]) -> float:
    """The value of a prediction, from 0 to 1, that a word means, where the prediction lies in a layer already."""
    from teravox.kernels.segmentation.grey import value_of_1

    predict = bind_prediction(job)
    if predict.name != LAYER_STEP:
        raise BadUsage(
            f"--supervoxels: {name} of the step {step.name} is {word}, and what --predict {predict.name} makes is not "
            "known before tasks are done. Keep it with --output probabilities, then take it with --predict layer:path=…"
        )
    source = Layer.open(job.source, fresh=True)
    bounds = source.bounds(job.mip)
    given = input_of(job, predict, source, bounds if job.bounds is None else job.bounds.intersect(bounds))
    channels = predict.parameters["channels"] or tuple(range(given.layer.info.num_channels))
    if not 0 <= channel < len(channels):
        raise BadUsage(f"--supervoxels: there is no channel {channel}: the prediction has {len(channels)}")
    place = (given.layer.url, given.mip, channels[channel])
    found = _find("supervoxels", step, name, word, place, job)
    share = found / value_of_1(given.layer.dtype, predict.parameters["scale"])
    return 1 - share if predict.parameters["invert"] else share


def _find(what: What, step: Step, name: str, word: str, place: tuple[str, int, int], job: Segmenting[Any]) -> float:
    from teravox.pipeline.contrast.thresholds import find_thresholds, read_word

    try:
        wanted = read_word(word)
    except ValueError as error:
        raise BadUsage(f"--{what}: {name} of the step {step.name}: {error}") from None
    found = find_thresholds(*place, wanted.classes, fill_missing=job.fill_missing)
    return found.thresholds[wanted.which - 1]
