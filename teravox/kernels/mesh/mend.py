"""Leaves out the small triangles along the seams of a surface that was welded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    near = (masks > 0) & (masks < LOCKED)
    if not near.any():
        return surface
    a, b, c = surface.faces.T
    for _ in range(RINGS):
        faces = near[a] | near[b] | near[c]
        near[surface.faces[faces]] = True
    if faces.all():
        return simplify(surface, step=step, max_error=max_error, planes=_only_locked(masks))
    strip = pick(surface, faces)
    held = planes_of(strip.vertices, locked=locked) if locked is not None else None
    return weld([pick(surface, ~faces), simplify(strip, step=step, max_error=max_error, planes=held)])


def _only_locked(masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return masks & np.uint8(LOCKED)
