"""What a forge of skeletons leaves about itself."""

from __future__ import annotations

from typing import ClassVar

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects import forged as objects
from teravox.pipeline.objects.sort import SKELETON, Sort
from teravox.pipeline.skeletons.skeleton_info import Attribute


class Forged(objects.Forged, frozen=True, kw_only=True):
    """A finished forge. The vertices of its skeletons are voxels of the whole volume.

    The piece [a, b) has the skeletons of the voxels [a, b + 1), so neighbours have a plane of voxels in common. Where
    borders were fixed, skeletons of both go through the same voxels of it: one for each part that a label has there.
    """

    sort: ClassVar[Sort] = SKELETON

    attributes: tuple[Attribute, ...]  # of each vertex, besides its place and its radius
    scale: float  # a path reaches scale * the radius + const, in nanometres: there no other path begins
    const: float
    soma_accept: float  # a label with a radius beyond, in nanometres, has a soma
    soma_scale: float  # which is a ball of soma_scale * its radius + soma_const
    soma_const: float
    fix_borders: bool


def read_forged(layer: Layer, dir: str) -> Forged:
    """The last finished forge of a layer; BadInput says what to run where there is none, or only an unfinished one."""
    return objects.read_forged(layer, SKELETON, dir, Forged)
