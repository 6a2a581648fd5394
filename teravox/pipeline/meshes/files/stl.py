"""STL, binary: triangles with their corners in 32 bits, one by one."""

from __future__ import annotations

from teravox.pipeline.meshes.mesh import Mesh

HEAD = 80  # bytes, which must not begin with `solid`


def encode(mesh: Mesh, unit: str) -> bytes:
    """The bytes of the file."""
    import numpy as np

    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    rows = np.zeros(len(corners), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows["normal"] = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
    rows["corners"] = corners
    head = f"binary STL, in {unit}".encode().ljust(HEAD)
    return b"".join((head, np.array([len(rows)], "<u4").tobytes(), rows.tobytes()))
