"""Makes the levels of detail of one label, cell by cell: in Z-order, children before their parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Vec
from teravox.pipeline.meshes.merging.kept import Kept, Shelf
from teravox.pipeline.meshes.merging.manifest import z_order
from teravox.pipeline.meshes.merging.octree import Octree, grid_start

if TYPE_CHECKING:
    from teravox.kernels.mesh.planes import Planes
    from teravox.kernels.mesh.surface import Surface
    from teravox.pipeline.meshes.forged import Forged

MOST_FACES = 1 << 18  # of a cell of a coarser level; a screen shows no more
GROWTH = 4.0  # of the error, from level to level: twice as long edges stand four times as far from a curve


class Cell(NamedTuple):
    """What is in a cell of a level."""

    level: int
    cell: Vec
    surface: Surface


class Rules(NamedTuple):
    """How surfaces are simplified."""

    forged: Forged
    most_faces: int = MOST_FACES

    @property
    def step(self) -> tuple[float, float, float]:
        """Half a voxel, in nanometres."""
        x, y, z = self.forged.resolution
        return (x / 2, y / 2, z / 2)

    def error(self, level: int) -> float:
        """How far a level may be from the one below, in nanometres; it ends by its number of faces mostly."""
        return max(self.forged.max_error, *self.forged.resolution) * GROWTH**level


def cut_fragments(surfaces: Iterable[Surface], octree: Octree, shelf: Shelf) -> dict[Vec, list[Kept]]:
    """What of a label lies in each cell of level 0, put aside."""
    from teravox.kernels.mesh.cells import cut

    parts: dict[Vec, list[Kept]] = {}
    for surface in surfaces:
        for cell, part in cut(surface, octree.origin, octree.cell):
            parts.setdefault(cell, []).append(shelf.keep(part))
    return parts


def make_levels(parts: Mapping[Vec, Sequence[Kept]], octree: Octree, rules: Rules, shelf: Shelf) -> Iterator[Cell]:
    """The cells of all levels; those of one level come in Z-order."""
    top = octree.levels - 1
    for _, cells in groupby(z_order(list(parts)), key=lambda cell: _above(cell, top)):
        yield from _Branch(parts, octree, rules, shelf).grow(top, list(cells))


class _Branch:
    """The cells below one of the coarsest level."""

    def __init__(self, parts: Mapping[Vec, Sequence[Kept]], octree: Octree, rules: Rules, shelf: Shelf) -> None:
        self._parts = parts
        self._octree = octree
        self._rules = rules
        self._shelf = shelf
        self._made: list[Kept] = []  # the cells that wait for their parent

    def grow(self, level: int, cells: list[Vec]) -> Iterator[Cell]:
        """A cell of a level and all below it, given those of level 0 in it; leaves its surface to its parent."""
        above = _above(cells[0], level)
        if level == 0:
            surface = self._join(above, [self._shelf.take(kept) for kept in self._parts[above]])
        else:
            before = len(self._made)
            for _, some in groupby(cells, key=lambda cell: _above(cell, level - 1)):
                yield from self.grow(level - 1, list(some))
            children = [self._shelf.take(kept) for kept in self._made[before:]]
            del self._made[before:]
            surface = self._coarsen(level, above, children)
        if level + 1 < self._octree.levels:
            self._made.append(self._shelf.keep(surface))
        yield Cell(level, above, surface)

    def _join(self, cell: Vec, surfaces: list[Surface]) -> Surface:
        from teravox.kernels.mesh.planes import Planes

        octree = self._octree
        faces = Planes(octree.corner(0, cell), octree.cell)
        return join(surfaces, self._rules, faces)

    def _coarsen(self, level: int, cell: Vec, children: list[Surface]) -> Surface:
        """The surface of a cell, of a quarter of its children's faces. Children are divided by planes that no face crosses."""
        from teravox.kernels.mesh.planes import Planes, planes_of
        from teravox.kernels.mesh.simplify import simplify
        from teravox.kernels.mesh.weld import weld

        corner = self._octree.corner(level, cell)
        surface = weld(children)
        children.clear()
        planes = planes_of(
            surface.vertices,
            within=Planes(corner, self._octree.size(level - 1)),
            locked=Planes(corner, self._octree.size(level)),
        )
        target = min(len(surface.faces) // 4, self._rules.most_faces)
        error = self._rules.error(level)
        return simplify(surface, step=self._rules.step, max_error=error, planes=planes, target_faces=target)


def join(surfaces: list[Surface], rules: Rules, locked: Planes | None) -> Surface:
    """One surface of what comes from several pieces, without the small triangles along their borders.

    `locked` are the faces of a cell, where others go on.
    """
    from teravox.kernels.mesh.mend import mend
    from teravox.kernels.mesh.planes import Planes
    from teravox.kernels.mesh.weld import weld

    surface = weld(surfaces) if len(surfaces) > 1 else surfaces[0]
    forged = rules.forged
    if not forged.simplify or forged.max_error <= 0:
        return surface
    x, y, z = forged.cell
    seams = Planes(grid_start(forged), (2 * x, 2 * y, 2 * z))
    return mend(surface, seams, locked, step=rules.step, max_error=forged.max_error)


def _above(cell: Vec, levels: int) -> Vec:
    """The cell, so many levels up, that a cell lies in."""
    x, y, z = cell
    return (x >> levels, y >> levels, z >> levels)
