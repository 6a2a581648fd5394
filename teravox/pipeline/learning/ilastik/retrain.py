"""Trains a classifier anew from the labels of a project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.learning.ilastik.project_file import ProjectFile
from teravox.pipeline.learning.ilastik.samples import gather_own
from teravox.pipeline.learning.wish import Wish, require_training

if TYPE_CHECKING:
    from teravox.kernels.learning.ilastik.project import Project
    from teravox.kernels.learning.model import Model
    from teravox.pipeline.learning.ilastik.raw_image import LayerImage


def retrain(
    file: ProjectFile,
    project: Project,
    lanes: list[int],
    image: LayerImage | None,
    wish: Wish,
    progress: Callable[[int], object],
) -> Model:
    """A model with the features and classes of the project, learnt from its labels; `progress` is told of more voxels."""
    import numpy as np

    from teravox.kernels.learning.ilastik.model import as_model

    require_training()
    samples = gather_own(file, project, lanes, image, wish.seed, progress)
    try:
        forest = wish.train(samples.features, samples.classes, len(project.classes))
    except ValueError as error:
        raise BadInput(f"{file.path}: {error}") from None
    voxels = np.bincount(samples.classes, minlength=len(project.classes)).tolist()
    record = {"classifier": f"trained here, by {wish.method}", "voxels": voxels, "seed": wish.seed}
    return as_model(project, forest, record)
