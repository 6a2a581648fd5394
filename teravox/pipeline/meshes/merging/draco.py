"""Packs the triangles of a fragment by Draco, as Neuroglancer reads them: positions are whole numbers and stay what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def encode(vertices: NDArray[np.uint32], faces: NDArray[np.uint32], bits: int) -> bytes:
    """The bytes of a fragment whose positions are below 2^bits; ValueError if it has no faces or cannot be packed.

    A vertex at which several surfaces touch comes back several times, and so may those of an edge of more than two faces.
    """
    from teravox.kernels.draco.encode import encode

    return encode(vertices, faces, bits)


def decode(data: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The positions and the faces of a fragment; ValueError says what is wrong with its bytes."""
    import DracoPy
    import numpy as np

    try:
        mesh = DracoPy.decode(data)
        points, faces = mesh.points, mesh.faces
    except (DracoPy.FileTypeException, DracoPy.EncodingFailedException, AttributeError, ValueError) as error:
        raise ValueError(f"it is no fragment that Draco could have packed ({error})") from None
    if points is None or faces is None:
        raise ValueError("it has no positions")
    if points.dtype.kind == "f":
        points = np.rint(points)  # other writers let Draco bring them to whole numbers
    if points.size and not (points.min() >= 0 and points.max() < 1 << 32):
        raise ValueError("its positions are not on a lattice")
    if faces.size and int(faces.max()) >= len(points):
        raise ValueError(f"a face names vertex {int(faces.max()):,} of {len(points):,}")
    return points.astype(np.uint32).reshape(-1, 3), np.asarray(faces, np.uint32).reshape(-1, 3)
