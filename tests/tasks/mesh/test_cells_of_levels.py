"""The cells of the levels of a mesh, which a viewer mixes as it likes: they fit together without cracks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from meshes.forging import HALF_VOXEL, RESOLUTION, layer_of, mesh
from meshes.neurites import neurites, noise
from meshes.quality import Mesh, Vec, facts_of, weld, whole_meshes
from meshes.read_back import Level, read_cells

MAX_ERROR = 1.0  # nanometers: so little that there are faces enough for more than one level


def joined(parts: Sequence[Mesh]) -> Mesh:
    """One mesh of parts whose vertices are one where they are on the same half voxel."""
    vertices = np.concatenate([part.vertices for part in parts]) / HALF_VOXEL
    grid = np.rint(vertices)
    assert np.abs(vertices - grid).max() < 0.02  # which is what rounding to a lattice of 16 bits may do
    first = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = np.concatenate([part.faces + n for part, n in zip(parts, first[:-1], strict=True)])
    return weld(Mesh(grid, faces), 0.1)


def as_a_viewer_does(levels: list[Level], random: np.random.Generator) -> list[list[Mesh]]:
    """Cells of all levels that together are the whole: each of them, or its children instead; as lists by level."""
    chosen: list[list[Mesh]] = [[] for _ in levels]

    def take(lod: int, cell: Vec) -> None:
        if lod and random.random() < 0.6:
            for x, y, z in itertools.product(*((2 * n, 2 * n + 1) for n in cell)):
                take(lod - 1, (x, y, z))
        elif cell in levels[lod].cells:
            chosen[lod].append(levels[lod].cells[cell])

    top = len(levels) - 1
    roots = {
        (x >> top - lod, y >> top - lod, z >> top - lod) for lod in range(top + 1) for x, y, z in levels[lod].cells
    }
    for root in sorted(roots):
        take(top, root)
    return chosen


def check_cells(level: Level, *, is_finest: bool) -> None:
    """Meshes stay in their cells, and in levels above the finest no triangle crosses from one child to another."""
    little = 1e-4
    for place, part in level.cells.items():
        inside = ((part.vertices - level.origin) / level.size - place)[part.faces]
        assert -little < inside.min()
        assert inside.max() < 1 + little
        if not is_finest:
            assert not ((inside < 0.5 - little).any(axis=1) & (inside > 0.5 + little).any(axis=1)).any()


@pytest.mark.parametrize("seed", [0, 1, 3, 6])
def test_cells_of_any_levels_meet_without_cracks(tmp_path: Path, seed: int) -> None:
    is_noise = seed % 2 == 1
    cell = 4 if is_noise else 8
    volume = noise((20, 22, 24), seed) if is_noise else neurites((60, 54, 48), seed)
    layer = layer_of(tmp_path, volume, (-7, 3, 5))
    cube, twice = (cell,) * 3, (cell * 2,) * 3
    mesh(layer, shape=twice, cell=cube, max_error=MAX_ERROR, num_lods=3, min_chunk_size=cube)
    random = np.random.default_rng(seed)
    mixed = 0
    for label, whole in whole_meshes(volume, RESOLUTION, (-7, 3, 5)):
        found = read_cells(layer, label)
        for lod, level in enumerate(found):
            check_cells(level, is_finest=lod == 0)
        for _ in range(3):
            chosen = as_a_viewer_does(found, random)
            mixed += sum(map(bool, chosen)) > 1
            ours = facts_of(joined(list(itertools.chain(*chosen))))
            assert (ours.open_edges, ours.is_volume, ours.euler) == (0, True, facts_of(whole).euler), label
    assert mixed
