"""Meshes and voxels as CloudVolume reads them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from meshes.distance import Floats
from meshes.quality import Mesh, Resolution, Vec
from numpy.typing import NDArray


def read_voxels(layer: str | Path) -> tuple[NDArray[Any], Resolution, Vec]:
    """The labels of a whole layer in x, y, z, their size in nanometres, and where they begin."""
    volume = _open(layer)
    resolution = cast("Resolution", tuple(map(float, volume.resolution)))
    return np.asarray(volume[:])[..., 0], resolution, cast("Vec", tuple(map(int, volume.voxel_offset)))


def read_meshes(layer: str | Path, labels: Iterable[int], lod: int = 0) -> dict[int, Mesh]:
    """The meshes of a level, of those of the labels that have it; vertices on faces of fragments are there twice."""
    source = _open(layer).mesh
    if source.meta.info["@type"] == "neuroglancer_legacy_mesh":
        there = [label for label in labels if source.exists([label])[str(label)] is not None]
        return {label: _mesh(source.get([label])) for label in there if lod == 0}
    there = [label for label in labels if _levels(source, label) > lod]
    return {int(label): _mesh(mesh) for label, mesh in source.get(there, lod=lod).items()} if there else {}


def levels(layer: str | Path, label: int) -> int:
    """How many levels of detail the mesh of a label has; 0 where it has no mesh."""
    return _levels(_open(layer).mesh, label)


class Level(NamedTuple):
    """The meshes of the cells of a level, by their positions; a cell has this size and the first begins at the origin."""

    origin: Floats
    size: Floats
    cells: dict[Vec, Mesh]


def read_cells(layer: str | Path, label: int) -> list[Level]:
    """The levels of a label's mesh, the finest first."""
    source = _open(layer).mesh
    manifest = source.get_manifest(label)
    unit = np.diag(source.transform)[:3]
    found = []
    for lod in range(manifest.num_lods):
        places = manifest.fragment_positions[lod].tolist()
        there = [place for place, size in zip(places, manifest.fragment_offsets[lod].tolist(), strict=True) if size]
        made = map(_mesh, source.get([label], lod=lod, concat=False)[label])
        found.append(
            Level(
                manifest.grid_origin * unit + source.transform[:3, 3],
                manifest.chunk_shape * unit * 2**lod,
                {cast("Vec", tuple(place)): mesh for place, mesh in zip(there, made, strict=True)},
            )
        )
    return found


def _open(layer: str | Path) -> Any:  # a volume of CloudVolume, which has no types
    from cloudvolume import CloudVolume

    return CloudVolume(f"file://{Path(layer).absolute()}", progress=False)


def _levels(source: Any, label: int) -> int:
    manifest = source.get_manifest(label)
    return 0 if manifest is None else int(manifest.num_lods)


def _mesh(found: Any) -> Mesh:
    return Mesh(found.vertices.astype(np.float64), found.faces.astype(np.int64))
