"""The features of the voxels that a project has labels for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.learning.ilastik.project_file import ProjectFile
from teravox.pipeline.learning.ilastik.raw_image import Image, LayerImage, OwnImage
from teravox.pipeline.learning.wish import AT_MOST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.learning.ilastik.labels import LabelBlock
    from teravox.kernels.learning.ilastik.project import Project

TILE: Vec = (64, 64, 16)  # voxels whose features are computed at once
ILASTIKS = (1.0, 1.0, 1.0)  # its sigmas count in voxels along every axis


class OwnSamples(NamedTuple):
    """What a classifier learns from."""

    features: NDArray[np.float32]  # by feature and voxel
    classes: NDArray[np.int64]  # of each voxel, from 0 on


def gather_own(
    file: ProjectFile,
    project: Project,
    lanes: list[int],
    image: LayerImage | None,
    seed: int,
    progress: Callable[[int], object],
) -> OwnSamples:
    """The samples of some images of a project, read from `image` or from what the project names.

    Of a class with more labelled voxels than `AT_MOST` about so many are taken. `progress` is told how many more
    labelled voxels are done.
    """
    import numpy as np

    features, classes = [], []
    shares = _shares(file, project, lanes)
    for lane in lanes:
        for whole in file.labels(project, lane):
            block = _thin(whole, shares, seed)
            for more, of in _of_block(file, project, lane, block, image):
                features.append(more)
                classes.append(of)
            progress(int((whole.classes > 0).sum()))
    if not features:
        raise BadInput(f"{file.path} has no labels to learn from: add some in ilastik, and save it")
    return OwnSamples(np.concatenate(features, axis=1), np.concatenate(classes))


def _shares(file: ProjectFile, project: Project, lanes: list[int]) -> NDArray[np.float64]:
    """Which part of each class is taken, by label."""
    import numpy as np

    counts = np.zeros(len(project.classes) + 1, np.int64)
    for lane in lanes:
        for block in file.labels(project, lane):
            counts += np.bincount(block.classes.ravel(), minlength=len(counts))
    return np.minimum(1.0, AT_MOST / np.maximum(counts, 1))


def _thin(block: LabelBlock, shares: NDArray[np.float64], seed: int) -> LabelBlock:
    """The block with only so many of its labels, chosen by their places."""
    import numpy as np

    from teravox.kernels.learning.chance import draw_lots

    if (shares[1:] == 1).all():
        return block
    where = np.nonzero(block.classes)
    places = np.stack(where[::-1], axis=1).astype(np.int64) + np.array(block.corner[::-1])
    lots = (draw_lots(places, seed) >> np.uint64(11)) / (1 << 53)
    left_out = tuple(along[lots >= shares[block.classes[where]]] for along in where)
    classes = block.classes.copy()
    classes[left_out] = 0
    return replace(block, classes=classes)


def _of_block(
    file: ProjectFile, project: Project, lane: int, block: LabelBlock, image: LayerImage | None
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    if image is not None:
        yield from _of_image(project, block, image)
        return
    with closing(OwnImage(file.path, project.lanes[lane], block.time)) as own:
        yield from _of_image(project, block, own)


def _of_image(
    project: Project, block: LabelBlock, image: Image
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    import numpy as np

    from teravox.kernels.learning.features import compute, margin

    if image.channels != project.channels:
        raise BadInput(f"{project.name} was trained on {project.channels} channels, and the image has {image.channels}")
    reach = margin(project.selection, ILASTIKS)[::-1]
    start = block.corner[::-1]
    for tile in Grid(Box((0, 0, 0), block.classes.T.shape), TILE):
        labels = block.classes.T[tuple(slice(a, b) for a, b in zip(tile.min, tile.max, strict=True))].T
        where = np.nonzero(labels)
        if not len(where[0]):
            continue
        box = _around(where, tile.shift(start))
        if box.intersect(Box((0, 0, 0), image.size)) != box:
            raise BadInput(
                f"{project.name} has labels in {box}, but its image has {'x'.join(map(str, image.size))} voxels: "
                "it is another one"
            )
        read = _grow(box, reach, image.size)
        x, y, z = ((a - r, b - r) for a, b, r in zip(box.min, box.max, read.min, strict=True))
        computed = compute(image.read(read), project.selection, ILASTIKS, (z, y, x))
        at = tuple(along - along.min() for along in where)
        yield computed[(slice(None), *at)], labels[where].astype(np.int64) - 1


def _around(where: tuple[NDArray[np.int64], ...], tile: Box) -> Box:
    """The smallest box round voxels of a tile, given by their z, y and x in it."""
    x, y, z = (low + int(along.min()) for low, along in zip(tile.min, where[::-1], strict=True))
    p, q, r = (low + int(along.max()) + 1 for low, along in zip(tile.min, where[::-1], strict=True))
    return Box((x, y, z), (p, q, r))


def _grow(box: Box, by: Vec, size: Vec) -> Box:
    x, y, z = (max(0, low - reach) for low, reach in zip(box.min, by, strict=True))
    p, q, r = (min(most, high + reach) for high, reach, most in zip(box.max, by, size, strict=True))
    return Box((x, y, z), (p, q, r))
