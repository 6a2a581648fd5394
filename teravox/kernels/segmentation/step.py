"""What a step of the segmentation says about itself: the memory it takes and how far it looks around."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])  # Any: whatever the step takes
Margin = tuple[int, int, int]  # voxels along z, y and x


def takes(memory: Callable[..., float]) -> Callable[[F], F]:
    """Give a step its `memory`: by its parameters, the bytes that it holds at its peak for each voxel.

    The arrays that it is given do not count, what it returns does.
    """
    return _marks("memory", memory)


def looks_around(margin: Callable[..., Margin]) -> Callable[[F], F]:
    """Give a step its `margin`: by its parameters, how many voxels beyond a voxel its result depends on."""
    return _marks("margin", margin)


def holds(fixed: Callable[..., int]) -> Callable[[F], F]:
    """Give a step its `fixed`: by its parameters, the bytes that it holds at its peak however large the box is."""
    return _marks("fixed", fixed)


def gives(channels: Callable[..., int]) -> Callable[[F], F]:
    """Give a step its `channels`: by its parameters, how many it predicts. Without it, it is one."""
    return _marks("channels", channels)


def leaves(*names: str) -> Callable[[F], F]:
    """Let these parameters, grey values that part dark from bright, be words such as `otsu`: what they mean is found in the whole image, before the first box is done."""

    def mark(step: F) -> F:
        vars(step)["left"] = names
        return step

    return mark


def _marks(name: str, fact: Callable[..., Any]) -> Callable[[F], F]:
    def mark(step: F) -> F:
        given = inspect.signature(step).parameters.values()
        defaults = {one.name: one.default for one in given if one.default is not one.empty}

        def with_defaults(**parameters: Any) -> Any:  # Any: as the step
            return fact(**defaults | parameters)

        vars(step)[name] = with_defaults
        return step

    return mark
