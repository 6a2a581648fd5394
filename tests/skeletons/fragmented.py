"""Layers with fragments of skeletons that are known, so that merging can be tested apart from forging."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from layers.make import Array, Vec, make_layer
from skeletons.graphs import STEP

from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.forged import write_forged
from teravox.pipeline.objects.fragments import encode_fragments
from teravox.pipeline.skeletons.forged import Forged
from teravox.pipeline.skeletons.fragments import SKELETONS
from teravox.pipeline.skeletons.skeleton_info import Attribute


def fragment(
    folder: Path,
    skeletons: dict[int, Skeleton],
    *,
    shape: Vec = (32, 32, 32),
    size: Vec = (96, 96, 64),
    offset: Vec = (0, 0, 0),
    attributes: tuple[Attribute, ...] = (),
) -> Layer:
    """A layer without voxels, with the fragments that a forge would leave of skeletons whose edges lead to next voxels."""
    voxels = np.zeros((*size, 1), np.uint64)
    path = make_layer(folder, voxels, chunk=(32, 32, 32), offset=offset, type="segmentation", resolution=STEP)
    layer = Layer.open(path, fresh=True)
    forged = Forged(
        id="0123456789abcdef",
        dir="skeleton",
        mip=0,
        resolution=STEP,
        bounds=layer.bounds(0),
        shape=shape,
        attributes=attributes,
        scale=4.0,
        const=10.0,
        soma_accept=3500.0,
        soma_scale=1.0,
        soma_const=300.0,
        fix_borders=True,
    )
    parts: dict[tuple[int, ...], list[tuple[int, Skeleton]]] = {}
    for label, skeleton in skeletons.items():
        for cell, part in cut(skeleton, np.array(offset), np.array(shape)).items():
            parts.setdefault(cell, []).append((label, part))
    for piece in forged.grid:
        cell = tuple((a - o) // n for a, o, n in zip(piece.min, offset, shape, strict=True))
        layer.store.put(forged.key(piece), encode_fragments(parts.pop(cell, []), SKELETONS))
    assert not parts, "skeletons reach out of the layer"
    write_forged(layer, forged)
    return layer


def cut(skeleton: Skeleton, origin: Array, shape: Array) -> dict[tuple[int, ...], Skeleton]:
    """The part of each cell of a grid: an edge lies in the cell of its lower end along each axis."""
    ends = skeleton.vertices[skeleton.edges]
    cells = (ends.min(axis=1) - origin) // shape
    found = {}
    for cell in {tuple(row) for row in cells.tolist()}:
        edges = skeleton.edges[(cells == cell).all(axis=1)]
        rows = np.unique(edges)
        found[cell] = skeleton.taken(rows)._replace(edges=np.searchsorted(rows, edges).astype(np.uint32))
    if not len(skeleton.edges):
        found[tuple(((skeleton.vertices[0] - origin) // shape).tolist())] = skeleton
    return found
