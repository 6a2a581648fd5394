"""A mesh of one resolution, as Neuroglancer has it: the number of vertices, the vertices in nanometres, the faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COUNT = 4  # bytes of the number of vertices
VERTEX = 12
FACE = 12


def encode(vertices: NDArray[np.floating], faces: NDArray[np.uint32]) -> bytes:
    """The bytes of a mesh; vertices, in nanometres, become 32-bit floats."""
    import numpy as np

    if len(vertices) >= 1 << 32:
        raise ValueError(f"it has {len(vertices):,} vertices, and the format counts them in 32 bits")
    return b"".join(
        (
            np.array([len(vertices)], "<u4").tobytes(),
            np.ascontiguousarray(vertices, "<f4").tobytes(),
            np.ascontiguousarray(faces, "<u4").tobytes(),
        )
    )


def decode(data: bytes) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """The vertices in nanometres, and the faces; ValueError says what is wrong with the bytes."""
    import numpy as np

    if len(data) < COUNT:
        raise ValueError(f"it has {len(data)} bytes, which are no mesh")
    count = int.from_bytes(data[:COUNT], "little")
    rest = len(data) - COUNT - VERTEX * count
    if rest < 0 or rest % FACE:
        raise ValueError(f"it has {len(data):,} bytes, which do not fit to its {count:,} vertices")
    vertices = np.frombuffer(data, "<f4", 3 * count, COUNT).reshape(-1, 3)
    faces = np.frombuffer(data, "<u4", offset=COUNT + VERTEX * count).reshape(-1, 3)
    if faces.size and int(faces.max()) >= count:
        raise ValueError(f"a face names vertex {int(faces.max()):,} of {count:,}")
    if not np.isfinite(vertices).all():
        raise ValueError("it has vertices that are nowhere")
    return vertices, faces
