"""What must hold of a mesh, whatever it was read from: of its manifest, of its fragments, and of all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.meshes.mesh_info import MeshInfo, to_nanometres

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.meshes.merging.manifest import Level, Manifest
    from teravox.pipeline.verification.object_space import Space


class Grid(NamedTuple):
    """Where the cells of a level lie: the cell n is at origin + n * size, in the units of the stored model."""

    origin: NDArray[np.float64]
    size: NDArray[np.float64]


def grid_of(manifest: Manifest, level: int) -> Grid:
    import numpy as np

    origin = np.array(manifest.grid_origin, "f8") + np.array(manifest.levels[level].vertex_offset, "f8")
    return Grid(origin, np.array(manifest.chunk_shape, "f8") * 2**level)


def check_manifest(manifest: Manifest, info: MeshInfo, space: Space) -> Iterator[str]:
    """What is wrong with a manifest, as sentences without a subject."""
    import numpy as np

    shape, origin = np.array(manifest.chunk_shape), np.array(manifest.grid_origin)
    if not np.isfinite([*shape, *origin]).all() or (shape <= 0).any():
        yield f"its cells have the size {manifest.chunk_shape} and begin at {manifest.grid_origin}"
        return
    if not manifest.levels:
        yield "it has no level of detail"
        return
    scales = np.array([level.scale for level in manifest.levels])
    if not np.isfinite(scales).all() or (scales < 0).any() or (np.diff(scales) < 0).any():
        yield f"the scales of its levels are {', '.join(f'{scale:g}' for scale in scales)}, and they must grow"
    for number, level in enumerate(manifest.levels):
        if not np.isfinite(level.vertex_offset).all():
            yield f"level {number} is shifted by {level.vertex_offset}"
            continue
        coarser = manifest.levels[number + 1] if number + 1 < len(manifest.levels) else None
        yield from (f"level {number}: {why}" for why in _check_cells(level, coarser))
        yield from (f"level {number}: {why}" for why in _check_place(grid_of(manifest, number), level, info, space))


def _check_cells(level: Level, coarser: Level | None) -> Iterator[str]:
    from teravox.pipeline.meshes.merging.manifest import z_code

    cells = [fragment.cell for fragment in level.fragments]
    if len(set(cells)) < len(cells):
        yield f"it names the cell {Counter(cells).most_common(1)[0][0]} twice"
    codes = [z_code(cell) for cell in cells]
    if codes != sorted(codes):
        yield "its cells are not in Z-order"
    if coarser is not None:
        parents = {fragment.cell for fragment in coarser.fragments}
        for x, y, z in cells:
            if (x // 2, y // 2, z // 2) not in parents:
                yield f"the cell {(x, y, z)} has no parent in the next level, so a viewer will never show it"
                return


def _check_place(grid: Grid, level: Level, info: MeshInfo, space: Space) -> Iterator[str]:
    """Cells may reach out of the layer, and each must have something of it."""
    import numpy as np

    cells = np.array([fragment.cell for fragment in level.fragments if fragment.size], "f8").reshape(-1, 3)
    corners = np.stack([grid.origin + cells * grid.size, grid.origin + (cells + 1) * grid.size])
    ends, _ = to_nanometres(corners.reshape(-1, 3), np.empty((0, 3), "u4"), info.transform)
    ends = ends.reshape(2, -1, 3)
    outside = ~space.touches(ends.min(axis=0), ends.max(axis=0))
    if outside.any():
        cell = tuple(map(int, cells[outside][0]))
        yield f"the cell {cell} lies outside of the layer, which is {space}"


def check_fragment(points: NDArray[np.uint32], faces: NDArray[np.uint32], bits: int) -> Iterator[str]:
    """What is wrong with what Draco unpacked."""
    if not faces.size:
        yield "it has bytes, and no faces"
    if points.size and int(points.max()) >> bits:
        yield f"a vertex is at {int(points.max()):,}, and {bits} bits end at {(1 << bits) - 1:,}"


def check_vertices(
    points: NDArray[np.uint32], cell: tuple[int, int, int], grid: Grid, info: MeshInfo, space: Space
) -> Iterator[str]:
    """Whether a fragment lies within the layer."""
    import numpy as np

    last = (1 << info.vertex_quantization_bits) - 1
    places = grid.origin + (np.array(cell, "f8") + points / last) * grid.size
    vertices, _ = to_nanometres(places, np.empty((0, 3), "u4"), info.transform)
    yield from space.check_inside(vertices)
