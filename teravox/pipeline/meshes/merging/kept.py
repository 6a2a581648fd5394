"""Keeps surfaces in a spool until they are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.objects.spool import Span, Spool

if TYPE_CHECKING:
    from teravox.kernels.mesh.surface import Surface


class Kept(NamedTuple):
    """A surface in a spool."""

    vertices: Span
    faces: Span


def keep(spool: Spool, surface: Surface) -> Kept:
    """Add a surface."""
    vertices, faces = surface
    return Kept(spool.put(vertices.tobytes()), spool.put(faces.tobytes()))


def take(spool: Spool, kept: Kept) -> Surface:
    """The surface that was kept."""
    import numpy as np

    from teravox.kernels.mesh.surface import Surface

    vertices = np.frombuffer(spool.get(kept.vertices), np.int32).reshape(-1, 3)
    return Surface(vertices, np.frombuffer(spool.get(kept.faces), np.uint32).reshape(-1, 3))
