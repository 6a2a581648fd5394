"""What a step needs of a model before it predicts: the model itself, and what becomes of its classes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.model import Model, model_from_bytes
from teravox.kernels.segmentation.grey import Grey
from teravox.kernels.segmentation.step_file import StepFile

Floats = NDArray[np.float32]


@lru_cache(maxsize=4)
def model_of(file: StepFile) -> Model:
    """The model that a file holds; the next block of this process needs it again. ValueError where it holds none."""
    return model_from_bytes(file.read(), file.name)


def check_image(model: Model, gray: Grey) -> None:
    """Refuse an image of other channels than the model was learnt on: ValueError."""
    channels = gray.shape[3] if gray.ndim == 4 else 1
    if channels != model.channels:
        raise ValueError(f"the model was learnt on {model.channels} channels, and the image has {channels}")


def boundary_classes(model: Model, boundary: str | None, objects: tuple[str, ...]) -> tuple[int, ...]:
    """The classes that together are boundary, counted from 0; none where each class is to have its channel.

    ValueError of names that cannot be meant.
    """
    if boundary is not None and objects:
        raise ValueError("boundary and objects are both given, but the one follows from the other: leave one out")
    named = objects if boundary is None else (boundary,)
    for name in named:
        if name not in model.names:
            raise ValueError(f"the model has no class {name!r}: it has {', '.join(model.names)}")
    if set(objects) == set(model.names):
        raise ValueError("objects names all classes, so that none is left for what is between them")
    return tuple(
        number for number, name in enumerate(model.names) if named and (name in named) is (boundary is not None)
    )


def sum_classes(probabilities: Floats, classes: tuple[int, ...]) -> Floats:
    """The probability that it is one of these classes, as one channel; without any, those of all classes."""
    if not classes:
        return probabilities
    total = probabilities[..., classes[0], np.newaxis].copy()
    for one in classes[1:]:
        total += probabilities[..., one, np.newaxis]
    return np.minimum(total, np.float32(1), out=total)  # which a sum of rounded shares may exceed
