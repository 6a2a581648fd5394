"""Turns the cells of a label into fragments and a manifest, and checks that nothing is open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.meshes.forged import Forged
from teravox.pipeline.meshes.merging import draco
from teravox.pipeline.meshes.merging.levels import Cell
from teravox.pipeline.meshes.merging.manifest import Fragment, Level, Manifest
from teravox.pipeline.meshes.merging.octree import Octree, grid_start
from teravox.pipeline.objects.spool import Span, Spool

if TYPE_CHECKING:
    from teravox.pipeline.box import Vec

_WRAP = 1 << 64


class Meshed(NamedTuple):
    """A label whose fragments lie in a spool, in the order of its manifest."""

    label: int
    fragments: list[Span]
    manifest: Manifest


def pack_cells(label: int, cells: Iterable[Cell], octree: Octree, bits: int, forged: Forged, spool: Spool) -> Meshed:
    """Pack all cells of a label; BadInput if what they hold together is not closed, though it should be."""
    import numpy as np

    from teravox.kernels.mesh.lattice import Lattice, edge_sum, flatten

    lattices = [Lattice(bits, octree.size(level), octree.points) for level in range(octree.levels)]
    found: list[list[tuple[Vec, Span]]] = [[] for _ in lattices]
    sums = [0] * len(lattices)
    for level, cell, surface in cells:
        lattice = lattices[level]
        points, faces = lattice.place(surface.vertices, octree.corner(level, cell)), surface.faces
        sums[level] += edge_sum(points, faces, np.array(cell, np.int64) * lattice.last)
        if not lattice.keeps_all:
            flat = flatten(points, faces)
            points, faces = flat.vertices.view(np.uint32), flat.faces
        try:
            data = draco.encode(points, faces, bits) if len(faces) else b""
        except ValueError as error:
            raise BadInput(f"label {label}, cell {cell} of level {level}: {error}") from None
        found[level].append((cell, spool.put(data)))
    if not forged.open_edge and any(total % _WRAP for total in sums):
        raise _is_open(label, forged)
    levels = tuple(
        Level(float(1 << level), tuple(Fragment(cell, span.size) for cell, span in fragments))
        for level, fragments in enumerate(found)
    )
    return Meshed(
        label, [span for fragments in found for _, span in fragments], _manifest(levels, octree, bits, forged)
    )


def transform(forged: Forged) -> list[float]:
    """From the stored model, which is in voxels from the center of the first voxel of all, to nanometres."""
    rows: list[float] = []
    for axis, (size, first) in enumerate(zip(forged.resolution, forged.bounds.min, strict=True)):
        row = [0.0, 0.0, 0.0, (first + 0.5) * size]
        row[axis] = float(size)
        rows += row
    return rows


def _manifest(levels: tuple[Level, ...], octree: Octree, bits: int, forged: Forged) -> Manifest:
    last = (1 << bits) - 1
    shape = [last / octree.points] * 3 if octree.points else [float(length) for length in octree.cell]
    x, y, z = (length / 2 for length in shape)
    a, b, c = ((o - s) / 2 for o, s in zip(octree.origin, grid_start(forged), strict=True))
    return Manifest((x, y, z), (a, b, c), levels)


def _is_open(label: int, forged: Forged) -> BadInput:
    return BadInput(
        f"label {label}: its fragments in {forged.folder} make no closed surface, so they are not of one forge, or one "
        "of them is damaged; run teravox mesh forge again"
    )
