"""Leaves out the small triangles along the seams of a surface that was welded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.mesh.cells import pick
from teravox.kernels.mesh.planes import LOCKED, Planes, planes_of
from teravox.kernels.mesh.simplify import simplify
from teravox.kernels.mesh.surface import Surface
from teravox.kernels.mesh.weld import weld

RINGS = 3  # of faces around a seam that may change


def mend(
    surface: Surface, seams: Planes, locked: Planes | None, *, step: tuple[float, float, float], max_error: float
) -> Surface:
    """Simplify a surface near the planes of its seams, and nowhere else; what lies on `locked` planes stays.

    There each side was simplified by itself, and what lay in the plane could not move.
    """
    masks = planes_of(surface.vertices, within=seams, locked=locked)
    near = _find_near(read_only(surface.faces), masks)
    if not len(near):
        return surface
    if len(near) == len(surface.faces):
        return simplify(surface, step=step, max_error=max_error, planes=_only_locked(masks))
    strip = pick(surface, near)
    held = planes_of(strip.vertices, locked=locked) if locked is not None else None
    rest = np.ones(len(surface.faces), np.bool_)
    rest[near] = False
    return weld([pick(surface, np.flatnonzero(rest)), simplify(strip, step=step, max_error=max_error, planes=held)])


@compiled
def _find_near(faces: NDArray[np.uint32], masks: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The faces within so many rings of a vertex that lies on a seam and may move."""
    near = (masks > 0) & (masks < LOCKED)
    chosen = np.zeros(len(faces), np.bool_)
    if near.any():
        for _ in range(RINGS):
            for f in range(len(faces)):
                chosen[f] = near[faces[f, 0]] or near[faces[f, 1]] or near[faces[f, 2]]
            for f in range(len(faces)):
                if chosen[f]:
                    near[faces[f, 0]] = near[faces[f, 1]] = near[faces[f, 2]] = True
    return np.flatnonzero(chosen)


def _only_locked(masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return masks & np.uint8(LOCKED)
