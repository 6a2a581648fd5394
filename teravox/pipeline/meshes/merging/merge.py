"""Merges a part of the labels: reads their fragments in groups, makes the levels of each, and hands them on in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.meshes.forged import Forged
from teravox.pipeline.meshes.merging.kept import Kept, Shelf
from teravox.pipeline.meshes.merging.levels import Cell, Rules, cut_fragments, join, make_levels
from teravox.pipeline.meshes.merging.memory import CUT, check_room, group_labels, room
from teravox.pipeline.meshes.merging.octree import Octree, Wish, choose_octree
from teravox.pipeline.objects.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from teravox.kernels.mesh.surface import Surface
    from teravox.pipeline.box import Vec


class Merged:
    """A label and the cells of its levels, which can be gone through once."""

    def __init__(self, label: int, octree: Octree, cells: Iterable[Cell]) -> None:
        self.label = label
        self.octree = octree
        self.cells = cells


def merge_labels(labels: Labels[Surface], forged: Forged, wish: Wish, memory: int, lanes: int) -> Iterator[Merged]:
    """The labels of a part, in order, each to be gone through before the next is asked for."""
    rows = sum(len(piece.rows) for piece in labels.pieces)
    rules = Rules(forged, most_faces=most_faces(memory, rows))
    for group in group_labels(labels, memory):
        read = {} if group.is_giant else labels.read(group.first, group.last, lanes)
        for at in range(group.first, group.last):
            label = int(labels.labels[at])
            octree = choose_octree(*labels.box(at), int(labels.links[at]), forged, wish)
            if group.is_giant:
                check_room(label, labels.largest_fragment(at, "faces"), memory, rows, what="a piece", each=CUT)
                surfaces = labels.read_one(at)
            else:
                surfaces = iter(read.pop(at))
            if octree.points:
                if group.is_giant:
                    check_room(label, int(labels.links[at]), memory, rows, what="the only cell")
                yield Merged(label, octree, [Cell(0, (0, 0, 0), join(list(surfaces), rules, None))])
                continue
            with Shelf(in_memory=not group.is_giant) as shelf:
                parts = cut_fragments(surfaces, octree, shelf)
                _check_cells(label, parts, memory, rows)
                yield Merged(label, octree, make_levels(parts, octree, rules, shelf))


def most_faces(memory: int, rows: int) -> int:
    """Of a cell of a coarser level: so many that those of eight cells can be made into the next."""
    from teravox.pipeline.meshes.merging.levels import MOST_FACES
    from teravox.pipeline.meshes.merging.memory import WORK

    return max(1024, min(MOST_FACES, room(memory, rows) // (8 * WORK)))


def _check_cells(label: int, parts: Mapping[Vec, Sequence[Kept]], memory: int, rows: int) -> None:
    most = max((sum(kept.faces for kept in some) for some in parts.values()), default=0)
    check_room(label, most, memory, rows, what="a cell")
