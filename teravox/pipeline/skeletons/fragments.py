"""How the skeleton of a label is kept among the fragments of a piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.objects.sort import SKELETON, Sort

if TYPE_CHECKING:
    from teravox.kernels.skeleton.skeleton import Skeleton


class Skeletons:
    """The form of skeletons whose vertices are voxels of the whole volume."""

    sort: Sort = SKELETON

    def pack(self, one: Skeleton) -> bytes:
        from teravox.kernels.skeleton.packed import pack

        return pack(one)

    def most_bytes(self, vertices: int, links: int) -> int:
        from teravox.kernels.skeleton.packed import most_bytes

        return most_bytes(vertices, links)

    def unpack(self, plain: bytes, vertices: int, links: int) -> Skeleton:
        from teravox.kernels.skeleton.packed import unpack

        return unpack(plain, vertices, links)


SKELETONS = Skeletons()
