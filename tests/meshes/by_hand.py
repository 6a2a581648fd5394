"""Forges fragments in the shortest way, so that merging can be tested apart from forging."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from layers.make import Array, make_layer

from teravox.kernels.mesh.marching import march
from teravox.kernels.mesh.planes import Planes, planes_of
from teravox.kernels.mesh.simplify import simplify
from teravox.kernels.mesh.surface import Surface
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.forged import Forged
from teravox.pipeline.meshes.fragments import SURFACES
from teravox.pipeline.objects.forged import write_forged
from teravox.pipeline.objects.fragments import encode_fragments


def forge_by_hand(
    folder: Path,
    voxels: Array,
    *,
    shape: Vec,
    cell: Vec,
    offset: Vec = (0, 0, 0),
    resolution: tuple[float, float, float] = (16, 16, 40),
    max_error: float = 0.0,
) -> Layer:
    """A layer of these labels, with fragments that are closed at its edge; simplified if an error is allowed."""
    path = make_layer(
        folder, voxels[..., np.newaxis], chunk=(32, 32, 32), offset=offset, type="segmentation", resolution=resolution
    )
    layer = Layer.open(path, fresh=True)
    forged = Forged(
        id="0123456789abcdef",
        dir="mesh",
        mip=0,
        resolution=resolution,
        bounds=layer.bounds(0),
        shape=shape,
        cell=cell,
        max_error=max_error,
        simplify=max_error > 0,
        open_edge=False,
    )
    write_fragments(layer, forged, voxels)
    return layer


def write_fragments(layer: Layer, forged: Forged, voxels: Array) -> None:
    """The fragments of all pieces, and the note that they are there."""
    for piece in forged.grid:
        layer.store.put(forged.key(piece), encode_fragments(_surfaces(forged, voxels, piece), SURFACES))
    write_forged(layer, forged)


def whole_surfaces(voxels: Array, offset: Vec = (0, 0, 0)) -> dict[int, Surface]:
    """The closed surface of each label, not simplified, in half voxels of the whole volume."""
    x, y, z = (2 * (n - 1) for n in offset)
    return {label: surface.moved((x, y, z)) for label, surface in march(np.pad(voxels, 1))}


def _surfaces(forged: Forged, voxels: Array, piece: Box) -> list[tuple[int, Surface]]:
    bounds = forged.bounds
    around = np.pad(voxels, 1)  # so that index 0 is the voxel before the bounds
    first = [a - o + (a > o) for a, o in zip(piece.min, bounds.min, strict=True)]
    last = [b - o + 1 for b, o in zip(piece.max, bounds.min, strict=True)]
    part = around[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))]
    x, y, z = (2 * (a - 1 + o) for a, o in zip(first, bounds.min, strict=True))
    found = []
    for label, surface in march(part):
        moved = surface.moved((x, y, z))
        if forged.simplify:
            moved = _simplified(moved, forged)
        found.append((label, moved))
    return found


def _simplified(surface: Surface, forged: Forged) -> Surface:
    a, b, c = (2 * n for n in forged.bounds.min)
    origin = (a, b, c)
    x, y, z = (2 * n for n in forged.cell)
    u, v, w = (2 * n for n in forged.shape)
    masks = planes_of(surface.vertices, within=Planes(origin, (x, y, z)), locked=Planes(origin, (u, v, w)))
    i, j, k = (size / 2 for size in forged.resolution)
    return simplify(surface, step=(i, j, k), max_error=forged.max_error, planes=masks)
