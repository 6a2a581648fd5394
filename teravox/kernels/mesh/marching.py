"""Finds the surfaces of labels in voxels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.surface import Surface
from teravox.kernels.mesh.weld import canonical

Voxels = NDArray[Any]  # x, y and z, of any unsigned type


def march(labels: Voxels) -> Iterator[tuple[int, Surface]]:
    """The surface of each label but 0, in the order of the labels, each in canonical order.

    The center of the first voxel is at 0, and coordinates are half voxels. A surface ends, open, at the centers of the
    outermost voxels: where it shall be closed, the caller adds a border of zeros.
    """
    import zmesh

    if labels.ndim != 3 or labels.dtype.kind != "u":
        raise ValueError(
            f"labels are whole numbers without sign in three dimensions, not {labels.dtype} {labels.shape}"
        )
    if min(labels.shape) < 2:  # no cube between voxels
        return
    mesher = zmesh.Mesher((1, 1, 1))
    mesher.mesh(np.asfortranarray(labels))
    for label in sorted(map(int, mesher.ids())):
        mesh = mesher.get(label, normals=False, reduction_factor=0)
        mesher.erase(label)
        yield label, canonical(Surface(_double(mesh.vertices), mesh.faces))


@compiled
def _double(vertices: NDArray[np.float32]) -> NDArray[np.int32]:
    doubled = np.empty(vertices.shape, np.int32)
    for i in range(len(vertices)):
        for axis in range(3):
            doubled[i, axis] = np.int32(vertices[i, axis] * np.float32(2))
    return doubled
