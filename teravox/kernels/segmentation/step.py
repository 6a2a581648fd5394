"""What a step of the segmentation says about itself: the memory it takes and how far it looks around."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])  # Any: whatever the step takes
FOUND = "otsu finds it in the histogram of the whole image, otsu:3/2 is the 2nd of 3 classes"
FOUND_IN_LAYER = "otsu finds it in the histogram of what --predict layer takes"
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


def leaves(*names: str, unless: str = "") -> Callable[[F], F]:
    """Let these parameters be words such as `otsu`: thresholds that are found in the whole image, before the first box is done.

    They are not where the parameter `unless` is given.
    """

    def left(**parameters: Any) -> tuple[str, ...]:  # Any: as the step
        return () if unless and parameters[unless] else names

    return _marks("left", left)


def left_to_image(step: Callable[..., Any], parameters: dict[str, Any]) -> tuple[str, ...]:
    """The parameters of a step, with these ones, that may be such words."""
    left: Callable[..., tuple[str, ...]] | None = getattr(step, "left", None)
    return () if left is None else left(**parameters)


def _marks(name: str, fact: Callable[..., Any]) -> Callable[[F], F]:
    def mark(step: F) -> F:
        given = inspect.signature(step).parameters.values()
        defaults = {one.name: one.default for one in given if one.default is not one.empty}

        def with_defaults(**parameters: Any) -> Any:  # Any: as the step
            return fact(**defaults | parameters)

        vars(step)[name] = with_defaults
        return step

    return mark
