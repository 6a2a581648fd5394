"""Merges a part of the labels: reads their fragments in groups, cleans each label, and hands it on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.skeletons.merging.memory import group_labels
from teravox.pipeline.skeletons.skeleton import Skeleton

if TYPE_CHECKING:
    from teravox.kernels.skeleton.cleaning import Wish
    from teravox.kernels.skeleton.skeleton import Skeleton as Voxels
    from teravox.pipeline.objects.labels import Labels
    from teravox.pipeline.skeletons.forged import Forged


def merge_labels(
    labels: Labels[Voxels], forged: Forged, wish: Wish, memory: int, lanes: int
) -> Iterator[tuple[int, Skeleton]]:
    """The labels of a part, in order, as far as something is left of them."""
    from teravox.kernels.skeleton.cleaning import clean

    for group in group_labels(labels, forged, memory):
        read = labels.read(group.first, group.last, lanes)
        for at in range(group.first, group.last):
            skeleton = clean(read.pop(at), forged.resolution, wish)
            if len(skeleton.vertices):
                yield int(labels.labels[at]), in_nanometres(skeleton, forged)


def in_nanometres(skeleton: Voxels, forged: Forged) -> Skeleton:
    """A skeleton as people use it: the center of voxel i is half a voxel from where it begins."""
    import numpy as np

    vertices = (skeleton.vertices + 0.5) * np.array(forged.resolution)
    attributes = {"radius": skeleton.radius, **skeleton.attributes}
    return Skeleton(vertices.astype(np.float32), skeleton.edges, attributes)
