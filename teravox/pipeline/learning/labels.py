"""Labels of a few voxels: a layer of small numbers beside an image, 0 where nobody has said anything.

Chunks without labels are absent, so that a layer beside an image of any size is as small as what was labelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.kernels.learning.classes import MOST, Class
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.chunk_grid import chunks_of, find_chunk
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.pipeline.layers.same_place import refuse_same
from teravox.pipeline.learning.class_file import FOLDER, NAME, read_classes, write_classes
from teravox.pipeline.storage.open import open_store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.uint8]  # z, y, x
    Places = NDArray[np.int64]  # a row of x, y, z for each voxel

CHUNK = 64  # at most, along each axis: a stroke writes few voxels
CLOSE = 1e-6  # how much two voxel sizes that are meant to be the same may differ, as a part of them


class Labelled(NamedTuple):
    """The labelled voxels of one chunk."""

    box: Box
    places: Places  # in voxels of the labels' mip
    classes: Array  # the number of each voxel's class, from 1 on; one axis


class Labels:
    """A layer of labels, as it is in the store at the moment of each reading."""

    def __init__(self, layer: Layer, mip: int = 0) -> None:
        info = layer.info
        if info.type != "segmentation" or info.data_type == "float32" or info.num_channels != 1:
            raise BadInput(
                f"{layer.url} holds no labels: it is an {info.type} of {info.num_channels} {info.data_type} channels, and "
                "labels are a segmentation of one. Make a layer of labels with: teravox learn label IMAGE LABELS"
            )
        self.layer = layer
        self.mip = mip
        self.scale = layer.scale(mip)
        self.classes: tuple[Class, ...] = read_classes(layer)

    @property
    def url(self) -> str:
        return self.layer.url

    @property
    def bounds(self) -> Box:
        return self.scale.bounds

    def read(self, box: Box) -> Array:
        """The labels of a box, in the order z, y, x; 0 where there are none, also beyond the bounds."""
        import numpy as np

        labels = np.zeros(box.size[::-1], np.uint8)
        inside = box.intersect(self.bounds)
        if not inside.is_empty:
            voxels = self.layer.read(inside, self.mip, fill_missing=True)[..., 0]
            self._check(voxels, inside)
            labels.T[within(inside, box)] = voxels
        return labels

    def labelled_boxes(self) -> Iterable[Box]:
        """The chunks that are there, in the order of z, y and x; all of them where they cannot be listed."""
        if self.scale.sharding is not None or self.url.startswith(("http://", "https://")):
            return chunks_of(self.scale, self.bounds)
        found = (find_chunk(self.scale, key) for key in self.layer.store.list(f"{self.scale.key}/"))
        return sorted((box for box in found if box is not None), key=lambda box: box.min[::-1])

    def labelled_voxels(self) -> Iterator[Labelled]:
        """The labelled voxels chunk by chunk, in the order of z, y and x within each."""
        import numpy as np

        for box in self.labelled_boxes():
            labels = self.read(box)
            z, y, x = np.nonzero(labels)
            if len(z):
                places = np.stack([x, y, z], axis=1).astype(np.int64) + np.array(box.min, np.int64)
                yield Labelled(box, places, labels[z, y, x])

    def mip_of(self, image: Layer) -> int:
        """The mip of an image that these labels were made on; BadInput where none has their voxels."""
        for mip, scale in enumerate(image.info.scales):
            if _same_size(scale.resolution, self.scale.resolution):
                if scale.bounds.intersect(self.bounds).is_empty:
                    raise BadInput(
                        f"the labels {self.url} cover {self.bounds}, and {image.place(mip)} {scale.bounds}: "
                        "they share no voxel. Check which image they belong to"
                    )
                return mip
        ours = ",".join(f"{n:g}" for n in self.scale.resolution)
        theirs = "; ".join(",".join(f"{n:g}" for n in scale.resolution) for scale in image.info.scales)
        raise BadInput(
            f"the labels {self.url} have voxels of {ours} nm, and those of {image.url} have {theirs} nm: "
            "labels belong to a mip of their image. Check which image they belong to"
        )

    def _check(self, voxels: NDArray[Any], box: Box) -> None:  # Any: of the layer's data type
        most = len(self.classes) or MOST
        low, high = int(voxels.min()), int(voxels.max())
        if low < 0 or high > most:
            wrong = low if low < 0 else high
            raise BadInput(
                f"{self.url} has a label {wrong} in {box}, and there are classes 1 to {most}: a segmentation of bodies is no layer of labels"
            )


def open_labels(url: str, mip: int = 0) -> Labels:
    """The labels at a path or URL; any segmentation of small numbers is one, such as a truth of classes."""
    return Labels(Layer.open(url, fresh=True), mip)


def create_labels(image: Layer, mip: int, url: str, classes: Sequence[Class]) -> Labels:
    """Labels beside a mip of an image: a new layer, or the one that is there.

    Of one that is there the classes may be left out, or be given again with more after them; BadUsage says if they or
    the voxels differ.
    """
    refuse_same(image.url, url)
    scale = image.scale(mip)
    cx, cy, cz = (min(n, CHUNK) for n in scale.chunk)
    chunk: Vec = (cx, cy, cz)
    raw = new_info(
        type="segmentation",
        data_type="uint8",
        channels=1,
        scales=[
            new_scale(
                bounds=scale.bounds,
                resolution=scale.resolution,
                chunk=chunk,
                encoding={"encoding": "raw"},
            )
        ],
    )
    if not classes and open_store(url).get(NAME) is None:
        raise BadUsage(f"--classes: {url} has none yet; name some, like membrane,inside")
    layer = create_layer(url, raw | {FOLDER: FOLDER})
    there = read_classes(layer)
    if any(one != other for one, other in zip(there, classes, strict=False)):
        said = ", ".join(one.name for one in there)
        raise BadUsage(f"--classes: {layer.url} has the classes {said} already; name these, and others after them")
    if len(classes) > len(there):
        write_classes(layer.store, tuple(classes))
    return Labels(layer)


def _same_size(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(abs(a - b) <= CLOSE * max(a, b) for a, b in zip(one, other, strict=True))
