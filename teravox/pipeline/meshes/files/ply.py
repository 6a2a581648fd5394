"""PLY, binary: coordinates in 64 bits, so that nothing is lost far from the origin."""

from __future__ import annotations

from teravox.pipeline.meshes.mesh import Mesh

HEAD = """ply
format binary_little_endian 1.0
comment unit {unit}
element vertex {vertices}
property double x
property double y
property double z
element face {faces}
property list uchar uint vertex_indices
end_header
"""


def encode(mesh: Mesh, unit: str) -> bytes:
    """The bytes of the file."""
    import numpy as np

    head = HEAD.format(unit=unit, vertices=len(mesh.vertices), faces=len(mesh.faces)).encode()
    rows = np.empty(len(mesh.faces), [("corners", "u1"), ("indices", "<u4", 3)])
    rows["corners"] = 3
    rows["indices"] = mesh.faces
    return b"".join((head, np.ascontiguousarray(mesh.vertices, "<f8").tobytes(), rows.tobytes()))
