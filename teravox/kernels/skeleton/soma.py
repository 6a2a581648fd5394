"""Components that may have a soma: filled, measured again, and where the middle of the soma is."""

from __future__ import annotations

import numpy as np

from teravox.kernels.skeleton.cropping import collect, crop
from teravox.kernels.skeleton.lattice import Lattice, Lengths, Places, voxels_at


def fill(places: Places, radii: Lengths, lattice: Lattice) -> tuple[Places, Lengths]:
    """The component with all that it encloses, and the distances of its voxels to its boundary."""
    import edt
    import fill_voids

    part = crop(places, lattice)
    filled, gain = fill_voids.fill(part.mask, in_place=True, return_fill_count=True)
    if not gain:
        return places, radii
    distances = edt.edt(filled, anisotropy=tuple(lattice.step.tolist()), black_border=bool(filled.all()))
    return collect(part._replace(mask=filled), distances, lattice)


def find_middle(places: Places, radii: Lengths, lattice: Lattice) -> int:
    """The place of the greatest distance to the boundary: of equals, the one nearest to the middle of them all."""
    greatest = places[radii == radii.max()]
    voxels = voxels_at(greatest, lattice)
    away = np.sum((voxels - voxels.mean(axis=0)) ** 2, axis=1)
    return int(greatest[np.argmin(away)])
