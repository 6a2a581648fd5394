"""Merges a part of the labels: reads their fragments in groups, cleans each label, and hands it on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.skeletons.merging.giant import merge_giant
from teravox.pipeline.skeletons.merging.memory import free_for, group_labels, needs_of
from teravox.pipeline.skeletons.merging.stored import attributes_of, in_nanometres
from teravox.pipeline.skeletons.skeleton_format import encode

if TYPE_CHECKING:
    from teravox.kernels.skeleton.cleaning import Wish
    from teravox.kernels.skeleton.skeleton import Skeleton as Voxels
    from teravox.pipeline.objects.labels import Labels
    from teravox.pipeline.skeletons.forged import Forged

Encoded = bytes | Iterator[bytes]  # as a whole; or part after part, where it is too large for that


def merge_labels(
    labels: Labels[Voxels], forged: Forged, wish: Wish, memory: int, lanes: int
) -> Iterator[tuple[int, Encoded]]:
    """The labels of a part, in order, as far as something is left of them; use each before you ask for the next."""
    from teravox.kernels.skeleton.cleaning import clean

    needs, free = needs_of(labels, forged), free_for(labels, memory)
    for group in group_labels(needs, free):
        if group.is_giant and needs.read[group.first] + needs.work[group.first] > free:
            yield from merge_giant(labels, group.first, forged, wish, memory)
            continue
        read = labels.read(group.first, group.last, lanes)
        for at in range(group.first, group.last):
            skeleton = clean(read.pop(at), forged.resolution, wish)
            if len(skeleton.vertices):
                yield int(labels.labels[at]), encode(in_nanometres(skeleton, forged), attributes_of(forged))
