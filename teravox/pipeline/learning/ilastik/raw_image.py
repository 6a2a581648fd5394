"""The image that a project was trained on: within it, in a file beside it, or a layer that somebody names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.sources.beside import file_beside
from teravox.pipeline.sources.hdf5 import open_hdf5
from teravox.pipeline.sources.open import open_source
from teravox.pipeline.sources.source import Choice, Source
from teravox.pipeline.sources.volume import Volume

if TYPE_CHECKING:
    from teravox.kernels.learning.ilastik.lanes import Lane
    from teravox.kernels.segmentation.grey import Grey

IN_HDF5 = re.compile(r"(.+?\.(?:h5|hdf5|hdf|ilp))/(.+)")


class Image(Protocol):
    """Grey values of boxes that begin at 0."""

    size: Vec
    channels: int

    def read(self, box: Box) -> Grey:
        """As z, y, x and channel."""
        ...


class LayerImage:
    """A mip of a layer, from its first voxel on."""

    def __init__(self, layer: Layer, mip: int) -> None:
        self._layer, self._mip = layer, mip
        self._bounds = layer.bounds(mip)
        self.size = self._bounds.size
        self.channels = layer.info.num_channels

    def read(self, box: Box) -> Grey:
        return self._layer.read(box.shift(self._bounds.min), self._mip).transpose(2, 1, 0, 3)


class OwnImage:
    """One point of time of what the project itself names; use `close` at the end."""

    def __init__(self, path: str, lane: Lane, time: int) -> None:
        source = _open(path, lane)
        axes = _axes(source, lane)
        self._volume = Volume(source, axes=axes, time=time if axes is not None and "t" in axes else None)
        self.size = self._volume.size
        self.channels = self._volume.channels

    def read(self, box: Box) -> Grey:
        import numpy as np

        voxels = np.empty((*box.size, self.channels), self._volume.dtype, order="F")
        self._volume.read(box, voxels, lanes=1)
        return voxels.transpose(2, 1, 0, 3)

    def close(self) -> None:
        self._volume.source.close()


def _open(path: str, lane: Lane) -> Source:
    if lane.inside is not None:
        return open_hdf5(path, Choice(dataset=lane.inside))
    if not lane.path:
        raise BadInput(f"{path} does not say where its image is; name it as a layer with --image")
    file, dataset = found.groups() if (found := IN_HDF5.fullmatch(lane.path)) else (lane.path, None)
    try:
        there = file_beside(path, file, "its image is")
        return open_hdf5(there, Choice(dataset=dataset)) if dataset else open_source(there, Choice())
    except BadInput as error:
        raise BadInput(f"{error}. Name the image as a layer with --image, or put the file there") from None


def _axes(source: Source, lane: Lane) -> str | None:
    """The axes that the project says, as far as they fit; a channel of one is sometimes left out."""
    for axes in (lane.axes, lane.axes.replace("c", "") if lane.size("c") in (None, 1) else lane.axes, lane.axes + "c"):
        if len(axes) == len(source.shape) and len(set(axes)) == len(axes):
            return axes
    return None
