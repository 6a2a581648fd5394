"""Joins supervoxels with little boundary between them."""

from __future__ import annotations

from typing import Annotated

from teravox.kernels.segmentation.checks import Labels, Prediction, check_share, check_supervoxels
from teravox.kernels.segmentation.linkage import join_weakest
from teravox.kernels.segmentation.region_graph import boundary_maps, region_graph, relabel
from teravox.kernels.segmentation.step import takes


def _memory(*, affinities: bool, **_: object) -> float:
    return 20.0 if affinities else 12.0  # measured: 8, and the graph


@takes(_memory)
def agglomerate(
    prediction: Prediction,
    supervoxels: Labels,
    *,
    boundary_channel: Annotated[int, "channel of the prediction that is high between objects"] = 0,
    affinities: Annotated[
        bool, "channels 0, 1, 2 are affinities to the voxel before along z, y, x: boundary is 1 - these"
    ] = False,
    threshold: Annotated[float, "join while the mean boundary between two segments is below this"] = 0.4,
) -> Labels:
    """Join the two segments with the lowest mean boundary between, again and again, up to a threshold."""
    check_supervoxels(supervoxels, prediction.shape[:3])
    check_share("threshold", threshold)
    graph = region_graph(supervoxels, boundary_maps(prediction, boundary_channel, affinities))
    return relabel(supervoxels, graph.labels, join_weakest(graph, threshold))
