"""One block, segmented here to be looked at: its prediction and its labels as small layers of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.pipeline.segmentation.declaration import Segmenting
from teravox.pipeline.segmentation.plan import Plan, make_plan
from teravox.pipeline.segmentation.refusals import hear_refusals
from teravox.pipeline.segmentation.region import Everything
from teravox.pipeline.segmentation.running import Block, predict_block, segment_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # x, y, z and channel

CHUNK = (64, 64, 64)


class Trial(NamedTuple):
    """What came of it."""

    prediction: str  # a layer
    labels: str  # a layer
    number: int  # of labels
    seconds_to_predict: float
    seconds_to_segment: float


def try_block(job: Segmenting[Any]) -> Trial:
    """Segment all of a job's bounds as one block; DEST is a folder for the layers that are made."""
    import numpy as np

    plan = make_plan(job, fresh=True)
    hear_refusals(plan)
    block = Block(plan, 0, plan.bounds, plan.bounds)
    began = time.perf_counter()
    prediction = predict_block(block, Everything(), None)
    predicted = time.perf_counter()
    found = segment_block(block, Everything(), None)
    done = time.perf_counter()
    shown = np.rint(prediction.transpose(2, 1, 0, 3) * np.float32(255)).astype(np.uint8)
    labels = np.asfortranarray(found.labels.T[..., np.newaxis])
    return Trial(
        _write(plan, "prediction", "image", "raw", np.asfortranarray(shown)),
        _write(plan, "labels", "segmentation", "compressed_segmentation", labels),
        int(found.labels.max()),
        predicted - began,
        done - predicted,
    )


def _write(plan: Plan, name: str, type: str, encoding: str, voxels: Array) -> str:
    """A layer of these voxels, at their place in the volume; its URL."""
    bounds: Box = plan.bounds
    chunk: Vec = CHUNK
    scale = new_scale(bounds=bounds, resolution=plan.resolution, chunk=chunk, encoding=encoding_words(encoding))
    info = new_info(type=type, data_type=voxels.dtype.name, channels=voxels.shape[3], scales=[scale])
    layer = create_layer(f"{plan.dest.url}/{name}", info)
    layer.write(bounds, 0, voxels)
    return layer.url
