"""The two sorts of objects that labels have, and the words that differ between them."""

from __future__ import annotations

from typing import NamedTuple


class Sort(NamedTuple):
    """Meshes or skeletons."""

    one: str  # also the group of its commands: teravox mesh forge
    many: str
    word: str  # under which a layer's info names their folder
    links: str  # what joins their vertices, and is counted beside these
    steps: int  # of the lattice of their vertices, in a voxel


MESH = Sort("mesh", "meshes", "mesh", "faces", 2)
SKELETON = Sort("skeleton", "skeletons", "skeletons", "edges", 1)
SORTS = (MESH, SKELETON)
