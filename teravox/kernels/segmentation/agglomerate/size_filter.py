"""Removes small segments."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from teravox.kernels.segmentation.checks import Labels, Prediction, check_at_least, check_supervoxels
from teravox.kernels.segmentation.linkage import join_small
from teravox.kernels.segmentation.region_graph import boundary_maps, region_graph, relabel
from teravox.kernels.segmentation.step import takes


def _memory(*, affinities: bool, **_: object) -> float:
    return 20.0 if affinities else 12.0  # measured: 8, and the graph


@takes(_memory)
def agglomerate(
    prediction: Prediction,
    supervoxels: Labels,
    *,
    min_size: Annotated[int, "segments of fewer voxels are small"] = 100,
    action: Annotated[
        Literal["join", "drop"], "join: to the neighbour with the least boundary between; drop: they become 0"
    ] = "join",
    boundary_channel: Annotated[int, "channel of the prediction that is high between objects"] = 0,
    affinities: Annotated[
        bool, "channels 0, 1, 2 are affinities to the voxel before along z, y, x: boundary is 1 - these"
    ] = False,
) -> Labels:
    """Join small segments with the neighbour that has the least boundary between, or drop them."""
    check_supervoxels(supervoxels, prediction.shape[:3])
    check_at_least("min_size", min_size, 0)
    graph = region_graph(supervoxels, boundary_maps(prediction, boundary_channel, affinities))
    if action == "drop":
        names = np.where(graph.sizes < min_size, np.uint32(0), graph.labels)
    elif action == "join":
        names = join_small(graph, min_size)
    else:
        raise ValueError(f"action is {action!r}, but must be join or drop")
    return relabel(supervoxels, graph.labels, names)
