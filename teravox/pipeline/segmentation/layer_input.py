"""What predictions are made of: the image, or another layer that holds predictions already."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.allowed import is_allowed, say_allowed
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.segmentation.declaration import Segmenting
from teravox.pipeline.segmentation.step_functions import BoundStep
from teravox.pipeline.storage.urls import normalize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type

LAYER_STEP = "layer"  # the built-in step that is given another layer's voxels instead of the image's


class LayerInput(NamedTuple):
    """A mip of a layer that covers all that is to be segmented."""

    layer: Layer
    mip: int
    fill_missing: bool

    @property
    def voxel_bytes(self) -> int:
        return self.layer.info.itemsize * self.layer.info.num_channels

    def read(self, box: Box) -> Array:
        """The voxels of a box as steps take them: z, y, x, and channel where there are several; read-only."""
        import numpy as np

        voxels = self.layer.read(box, self.mip, fill_missing=self.fill_missing)
        given = voxels[..., 0].T if voxels.shape[3] == 1 else np.ascontiguousarray(np.moveaxis(voxels.T, 0, -1))
        given.flags.writeable = False
        return given


def input_of(job: Segmenting[Any], step: BoundStep, source: Layer, bounds: Box) -> LayerInput:
    """What a step is given; BadUsage where it cannot be."""
    if step.name != LAYER_STEP:
        return LayerInput(source, job.mip, job.fill_missing)
    path, mip = step.parameters["path"], step.parameters["mip"]
    layer = source if path is None else Layer.open(_allowed(path))
    if mip is None:
        mip = job.mip if layer is source else _mip_like(layer, source, job.mip)
    there = layer.bounds(mip)
    if bounds.intersect(there) != bounds:
        raise BadUsage(
            f"--predict: {layer.place(mip)} is {there}, and what is to be segmented is {bounds}; say less with --bounds"
        )
    channels = step.parameters["channels"]
    for channel in channels:
        if not 0 <= channel < layer.info.num_channels:
            raise BadUsage(
                f"--predict: channels: {layer.url} has {layer.info.num_channels} channels, counted from 0, got {channel}"
            )
    return LayerInput(layer, mip, job.fill_missing)


def channels_of(step: BoundStep, given: LayerInput, resolution: tuple[float, float, float]) -> int:
    """How many channels a prediction will have."""
    if step.name == LAYER_STEP:
        return len(step.parameters["channels"]) or given.layer.info.num_channels
    return step.channels(resolution)


def _allowed(path: str) -> str:
    if "://" not in path and not path.startswith("/"):
        raise BadUsage(
            f"--predict: path of the step layer is {path}, which begins nowhere: write ./{path} for this folder"
        )
    url = normalize(path)
    if ".." in url.split("/"):
        raise BadUsage(f"--predict: path of the step layer is {url}: a layer's path may not hold `..`")
    if not is_allowed(url):
        raise BadUsage(f"--predict: path of the step layer is {url}, {say_allowed()}")
    return url


def _mip_like(layer: Layer, source: Layer, mip: int) -> int:
    wanted = source.scale(mip).resolution
    for found, scale in enumerate(layer.info.scales):
        if all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(scale.resolution, wanted, strict=True)):
            return found
    has = ", ".join(str(scale.resolution) for scale in layer.info.scales)
    raise BadUsage(
        f"--predict: {layer.url} has no mip with voxels of {wanted} nm as {source.place(mip)}, but {has}; "
        "name one with layer:mip=N"
    )
