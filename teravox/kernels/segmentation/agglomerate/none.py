"""Leaves supervoxels as they are."""

from __future__ import annotations

from teravox.kernels.segmentation.checks import Labels, Prediction
from teravox.kernels.segmentation.step import takes


def _memory(**_: object) -> float:
    return 0.0


@takes(_memory)
def agglomerate(prediction: Prediction, supervoxels: Labels) -> Labels:
    """Leave the supervoxels as they are."""
    del prediction
    return supervoxels
