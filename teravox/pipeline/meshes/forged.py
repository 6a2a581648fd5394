"""What a forge of meshes leaves about itself."""

from __future__ import annotations

from typing import ClassVar

from teravox.pipeline.box import Vec
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects import forged as objects
from teravox.pipeline.objects.sort import MESH, Sort


class Forged(objects.Forged, frozen=True, kw_only=True):
    """A finished forge. Its surfaces lie in half voxels of the whole volume: the center of voxel i is at 2 i.

    The piece [a, b) has the surfaces from plane 2 a to plane 2 b; their vertices in these planes are those of its
    neighbour. Where the surface is closed at the bounds, the first pieces reach half a voxel below: to 2 a - 1. Vertices
    in the planes 2 (bounds.min + n cell) have stayed in them, and no face goes through such a plane.
    """

    sort: ClassVar[Sort] = MESH

    cell: Vec  # from one plane to the next, in voxels; the shape is a multiple of it
    max_error: float  # in nanometres; 0 where it was not simplified
    simplify: bool
    open_edge: bool


def read_forged(layer: Layer, dir: str) -> Forged:
    """The last finished forge of a layer; BadInput says what to run where there is none, or only an unfinished one."""
    return objects.read_forged(layer, MESH, dir, Forged)
