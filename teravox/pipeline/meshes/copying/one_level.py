"""A mesh of one resolution as one of several levels: with one level, in one cell."""

from __future__ import annotations

from teravox.pipeline.meshes.merging.draco import encode
from teravox.pipeline.meshes.merging.manifest import Fragment, Level, Manifest
from teravox.pipeline.meshes.mesh import Mesh

BITS = 16


def make_one_level(mesh: Mesh, scale: float) -> tuple[bytes, bytes]:
    """The manifest and the fragment of a mesh, in nanometres; `scale` is the size of its details.

    The cell is the box around the mesh, so a vertex moves by at most 1/131,070 of its length, width and height.
    """
    import numpy as np

    from teravox.kernels.mesh.glue import glue

    if not len(mesh.faces):
        return Manifest((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (Level(scale, (Fragment((0, 0, 0), 0),)),)).encode(), b""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    origin = low.astype("f4")
    origin = np.where(origin > low, np.nextafter(origin, np.float32(-np.inf)), origin).astype("f8")
    shape = np.maximum(high - origin, 1.0).astype("f4")
    shape = np.where(shape < high - origin, np.nextafter(shape, np.float32(np.inf)), shape).astype("f8")
    lattice = np.rint((mesh.vertices - origin) / shape * ((1 << BITS) - 1)).astype("u4")
    vertices, faces = glue([(lattice, mesh.faces)])
    data = encode(vertices, faces, BITS) if len(faces) else b""
    level = Level(scale, (Fragment((0, 0, 0), len(data)),))
    x, y, z = origin.tolist()
    a, b, c = shape.tolist()
    return Manifest((a, b, c), (x, y, z), (level,)).encode(), data
