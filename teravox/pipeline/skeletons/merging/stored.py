"""A merged skeleton as it is stored: in nanometres, with what is known of each vertex."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_info import RADIUS, Attribute

if TYPE_CHECKING:
    from teravox.kernels.skeleton.skeleton import Skeleton as Voxels
    from teravox.pipeline.skeletons.forged import Forged


def attributes_of(forged: Forged) -> tuple[Attribute, ...]:
    """What is stored of each vertex, in order."""
    return (RADIUS, *forged.attributes)


def in_nanometres(skeleton: Voxels, forged: Forged) -> Skeleton:
    """A skeleton as people use it: the center of voxel i is half a voxel from where it begins."""
    import numpy as np

    vertices = (skeleton.vertices + 0.5) * np.array(forged.resolution)
    attributes = {"radius": skeleton.radius, **skeleton.attributes}
    return Skeleton(vertices.astype(np.float32), skeleton.edges, attributes)
