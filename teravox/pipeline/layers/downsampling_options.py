"""What the options of downsampling mean for a layer, and whether they can be meant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from teravox.pipeline.box import Vec
from teravox.pipeline.errors import BadUsage

if TYPE_CHECKING:
    from teravox.kernels.slabs import Method
    from teravox.pipeline.layers.layer import Layer

MethodOption = Literal["auto", "average", "mode", "min", "max", "stride"]


def method_for(layer: Layer, method: MethodOption) -> Method:
    """How the voxels of a layer become one."""
    if method == "auto":
        return "mode" if layer.info.type == "segmentation" else "average"
    return method


def check_downsampling(layer: Layer, factor: Vec, method: MethodOption, *, sparse: bool) -> None:
    """Raise BadUsage where an option cannot be meant."""
    if min(factor) < 1 or math.prod(factor) == 1:
        raise BadUsage(f"--factor: expected three numbers from 1 up that are not all 1, got {factor}")
    how = method_for(layer, method)
    if how == "average" and layer.info.type == "segmentation":
        raise BadUsage(f"--method: {layer.url} is a segmentation, and labels have no average; take mode")
    if sparse and how not in ("average", "mode"):
        raise BadUsage(f"--sparse: it changes averages and modes, and --method is {how}; leave one of them out")
