"""How the surface of a label is kept among the fragments of a piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.objects.sort import MESH, Sort

if TYPE_CHECKING:
    from teravox.kernels.mesh.surface import Surface

BYTES = 12  # of a vertex, and of a face


class Surfaces:
    """The form of surfaces in half voxels of the whole volume."""

    sort: Sort = MESH

    def pack(self, one: Surface) -> memoryview:
        from teravox.kernels.mesh.packed import pack

        return pack(one).data

    def most_bytes(self, vertices: int, links: int) -> int:
        return BYTES * (vertices + links)

    def unpack(self, plain: bytes, vertices: int, links: int) -> Surface:
        import numpy as np

        from teravox.kernels.mesh.packed import unpack

        return unpack(np.frombuffer(plain, np.uint8), vertices, links)


SURFACES = Surfaces()
