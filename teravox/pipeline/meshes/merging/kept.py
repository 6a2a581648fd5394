"""Keeps surfaces until they are wanted."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from teravox.pipeline.objects.spool import Span, Spool

if TYPE_CHECKING:
    from teravox.kernels.mesh.surface import Surface


class Spooled(NamedTuple):
    """A surface in a spool."""

    vertices: Span
    faces: Span


class Kept(NamedTuple):
    """A surface on a shelf."""

    faces: int
    surface: Surface | Spooled


class Shelf:
    """Surfaces that stay in memory; or in a spool, where they would be too many."""

    def __init__(self, *, in_memory: bool) -> None:
        self._spool = None if in_memory else Spool()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spool is not None:
            self._spool.__exit__(kind, error, trace)

    def keep(self, surface: Surface) -> Kept:
        """Add a surface."""
        vertices, faces = surface
        if self._spool is None:
            return Kept(len(faces), surface)
        return Kept(len(faces), Spooled(self._spool.put(vertices.tobytes()), self._spool.put(faces.tobytes())))

    def take(self, kept: Kept) -> Surface:
        """The surface that was kept."""
        import numpy as np

        from teravox.kernels.mesh.surface import Surface

        if self._spool is None or not isinstance(kept.surface, Spooled):
            return Surface(*kept.surface)
        vertices = np.frombuffer(self._spool.get(kept.surface.vertices), np.int32).reshape(-1, 3)
        return Surface(vertices, np.frombuffer(self._spool.get(kept.surface.faces), np.uint32).reshape(-1, 3))
