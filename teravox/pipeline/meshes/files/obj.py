"""OBJ: text, a line for a vertex and a line for a face."""

from __future__ import annotations

from teravox.pipeline.meshes.mesh import Mesh


def encode(mesh: Mesh, unit: str) -> bytes:
    """The bytes of the file."""
    vertices = [f"v {x:.12g} {y:.12g} {z:.12g}\n" for x, y, z in mesh.vertices.tolist()]
    faces = [f"f {a} {b} {c}\n" for a, b, c in (mesh.faces.astype("i8") + 1).tolist()]
    return "".join([f"# in {unit}\n", *vertices, *faces]).encode()
