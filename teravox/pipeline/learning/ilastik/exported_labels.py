"""The labels of a project as a layer of labels, so that they can be gone on with here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.learning.ilastik.project_file import ProjectFile
from teravox.pipeline.learning.labels import Labels, create_labels

if TYPE_CHECKING:
    from teravox.kernels.learning.ilastik.labels import LabelBlock
    from teravox.kernels.learning.ilastik.project import Project


def check_labels(file: ProjectFile, project: Project, lane: int, image: Layer, mip: int) -> None:
    """Raise BadInput where the labels do not fit a mip of a layer, before anything is written."""
    told = project.lanes[lane]
    size = tuple(told.size(letter) for letter in "xyz")
    there = image.bounds(mip).size
    if any(one not in (None, other) for one, other in zip(size, there, strict=True)):
        raise BadInput(
            f"the image of {project.name} has {'x'.join(map(str, size))} voxels, and {image.place(mip)} "
            f"{'x'.join(map(str, there))}: name the layer and --mip that hold this image"
        )
    for block in file.labels(project, lane):
        ends = (a + n for a, n in zip(block.corner, block.classes.shape, strict=True))
        if block.time or any(end > most for end, most in zip(ends, there[::-1], strict=True)):
            what = f"at time {block.time}" if block.time else "beyond its bounds"
            raise BadInput(f"{project.name} has labels {what}, which {image.place(mip)} cannot have")


def export_labels(file: ProjectFile, project: Project, lane: int, image: Layer, mip: int, url: str) -> Labels:
    """Write the labels of an image of the project beside a mip of a layer that holds it, its first voxel at the first.

    Labels that are in the layer already stay where the project has none.
    """
    labels = create_labels(image, mip, url, project.classes)
    for block in file.labels(project, lane):
        _write(labels, block)
    return labels


def _write(labels: Labels, block: LabelBlock) -> None:
    """Put the labelled voxels of a block into the chunks they lie in."""
    import numpy as np

    voxels = block.classes.T
    x, y, z = (a + b for a, b in zip(block.corner[::-1], labels.bounds.min, strict=True))
    p, q, r = (a + n for a, n in zip((x, y, z), voxels.shape, strict=True))
    box = Box((x, y, z), (p, q, r))
    for chunk in chunks_of(labels.scale, box):
        part = chunk.intersect(box)
        more = voxels[within(part, box)]
        if more.any():
            whole = np.asfortranarray(labels.read(chunk).T)
            here = whole[within(part, chunk)]
            here[more > 0] = more[more > 0]
            labels.layer.write(chunk, labels.mip, whole[..., np.newaxis])
