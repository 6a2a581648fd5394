"""Joins supervoxels as waterz scores them: by the mean or a quantile of affinities."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from teravox.kernels.segmentation.checks import (
    Boundary,
    Labels,
    Prediction,
    affinities_of,
    boundary_of,
    check_share,
    check_supervoxels,
)
from teravox.kernels.segmentation.region_graph import relabel
from teravox.kernels.segmentation.step import takes

_STDOUT = 1
_ONE_AT_A_TIME = threading.Lock()

QUANTILES = range(10, 100, 5)  # those that waterz brings compiled


def _memory(**_: object) -> float:
    return 50.0  # measured: 30, and what its lists of affinities take where supervoxels are small


@takes(_memory)
def agglomerate(
    prediction: Prediction,
    supervoxels: Labels,
    *,
    threshold: Annotated[float, "join while 1 - affinity between two segments is below this"] = 0.35,
    scoring: Annotated[Literal["mean", "quantile"], "which affinity of all between two segments counts"] = "mean",
    quantile: Annotated[int, "10, 15, ... 95: of 100 affinities, so many are lower than the one that counts"] = 50,
    affinities: Annotated[
        bool, "channels 0, 1, 2 are affinities to the voxel before along z, y, x; else they are made of the boundary"
    ] = False,
    boundary_channel: Annotated[int, "channel of the prediction that is high between objects"] = 0,
) -> Labels:
    """Join by the mean or a quantile of affinities, as waterz does. Needs it: pip install 'teravox[waterz]'."""
    check_share("threshold", threshold)
    if scoring not in ("mean", "quantile"):
        raise ValueError(f"scoring is {scoring!r}, but must be mean or quantile")
    if quantile not in QUANTILES:
        raise ValueError(f"quantile is {quantile}, but must be one of {', '.join(map(str, QUANTILES))}")
    check_supervoxels(supervoxels, prediction.shape[:3])
    given = affinities_of(prediction) if affinities else _affinities(boundary_of(prediction, boundary_channel))
    edges = np.ascontiguousarray(given)
    if supervoxels.size == 0:
        return supervoxels
    try:
        from waterz import agglomerate as join
    except ImportError as absent:
        raise ValueError("waterz is not installed: pip install 'teravox[waterz]'") from absent
    score = "MeanAffinity<RegionGraphType,ScoreValue>"
    if scoring == "quantile":
        score = f"HistogramQuantileAffinity<RegionGraphType,{quantile},ScoreValue,256,false>"
    fragments = supervoxels.astype(np.uint64)
    with _silence():
        (segments,) = join(edges, [threshold], fragments=fragments, scoring_function=f"OneMinus<{score}>")
    names = np.zeros(int(supervoxels.max()) + 1, np.uint32)
    names[supervoxels.reshape(-1)] = np.asarray(segments).reshape(-1)
    labels = np.flatnonzero(names).astype(np.uint32)
    groups = names[labels]
    first = np.zeros_like(names)
    first[groups[::-1]] = labels[::-1]  # of what is written to one place, the last remains: the smallest label
    return relabel(supervoxels, labels, first[groups])


def _affinities(boundary: Boundary) -> Prediction:
    """To the voxel before along z, y and x: 1 - the larger boundary of the two."""
    edges = np.ones((3, *boundary.shape), np.float32)
    np.subtract(np.float32(1), np.maximum(boundary[1:], boundary[:-1]), out=edges[0, 1:])
    np.subtract(np.float32(1), np.maximum(boundary[:, 1:], boundary[:, :-1]), out=edges[1, :, 1:])
    np.subtract(np.float32(1), np.maximum(boundary[:, :, 1:], boundary[:, :, :-1]), out=edges[2, :, :, 1:])
    return edges


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """What the library writes to the process's stdout is dropped, and so is what others write there meanwhile."""
    flush = ctypes.CDLL(None).fflush  # what it has written may still wait in the C library's buffer
    with _ONE_AT_A_TIME:
        kept = os.dup(_STDOUT)
        try:
            with Path(os.devnull).open("wb") as nowhere:
                flush(None)
                os.dup2(nowhere.fileno(), _STDOUT)
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # Python's own buffer is another one
                    yield
            finally:
                flush(None)
                os.dup2(kept, _STDOUT)
        finally:
            os.close(kept)
