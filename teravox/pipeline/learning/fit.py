"""Whether a model is made for an image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadUsage

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model
    from teravox.pipeline.layers.layer import Layer

CLOSE = 1e-3  # how much two voxel sizes that are meant to be the same may differ, as a part of them


def refuse_misfit(model: Model, image: Layer, mip: int, option: str) -> None:
    """Raise BadUsage where a model was learnt on other channels or voxels than an image has."""
    channels = image.info.num_channels
    if model.channels != channels:
        raise BadUsage(
            f"{option}: the model was learnt on {model.channels} channels, and {image.url} has {channels}: take the image "
            "that it was learnt on, or learn a model on this one"
        )
    if model.resolution is None:
        return
    learnt = tuple(reversed(model.resolution))
    if _is_close(learnt, image.scale(mip).resolution):
        return
    like = [str(other) for other, scale in enumerate(image.info.scales) if _is_close(learnt, scale.resolution)]
    remedy = f"take --mip {like[0]}" if like else "learn a model on this image"
    raise BadUsage(
        f"{option}: the model was learnt on voxels of {_say(learnt)} nm, and those of {image.place(mip)} have "
        f"{_say(image.scale(mip).resolution)} nm: {remedy}"
    )


def _is_close(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(math.isclose(a, b, rel_tol=CLOSE) for a, b in zip(one, other, strict=True))


def _say(resolution: tuple[float, ...]) -> str:
    return ",".join(f"{side:g}" for side in resolution)
