"""Reads a piece as numbers of labels, ready to be traced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.box import Vec
from teravox.pipeline.objects.forging.frame import Frame
from teravox.pipeline.objects.forging.labels import Selection, read_numbered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

    Labels = NDArray[np.uint64]
    Voxels = NDArray[Any]  # unsigned whole numbers in x, y and z
    Distances = NDArray[np.float32]

NESTED = 5  # pits within pits, at most


class Reading(NamedTuple):
    """How the voxels of a piece become numbers."""

    layer: Layer
    mip: int
    selection: Selection  # whose fill_holes is off: it is done later
    fill_holes: bool
    pits: float | None  # join what is as deep as this, in nanometres, and enclosed, to what encloses it
    fill_missing: bool

    @property
    def step(self) -> tuple[float, float, float]:
        return self.layer.scale(self.mip).resolution


class Read(NamedTuple):
    """What was read."""

    voxels: Voxels  # numbers, 0 for what is not wanted
    labels: Labels  # by number


def read_piece(reading: Reading, frame: Frame, own: Vec, size: Vec) -> tuple[Read, dict[int, Voxels]]:
    """The numbers of a frame; and of the piece's own part of it, by side, the inner sides as they were stored.

    `own` is where that part begins in the frame, `size` how large it is.
    """
    import numpy as np

    from teravox.kernels.mesh.numbering import renumber

    numbered = read_numbered(reading.layer, reading.mip, frame, reading.selection, fill_missing=reading.fill_missing)
    labels = numbered.labels
    kind = np.min_scalar_type(max(len(labels) - 1, 0))
    voxels = numbered.voxels.astype(kind, order="F")
    table = np.where(numbered.wanted, np.arange(len(labels)), 0).astype(kind)
    del numbered
    part = voxels[cut(own, size)]
    planes = {side: table[face(part, side)] for side in inner_sides(frame)}
    if reading.pits is not None:
        _join_pits(voxels, reading.pits, reading.step)
    if reading.fill_holes:
        _fill(voxels)
    flat = voxels.reshape(-1, order="F")
    renumber(flat, table, flat)
    return Read(voxels, labels), planes


def _join_pits(voxels: Voxels, least: float, step: tuple[float, float, float]) -> None:
    """Give nuclei to their cells, also where one lies within another, and fill what is between them."""
    from teravox.kernels.components import label
    from teravox.kernels.skeleton.avocados import join_pits as join

    for _ in range(NESTED):
        components, count = label(voxels, 26)
        if not join(voxels, components, count, measure_distances(voxels, step), least, step):
            return
        del components
        _fill(voxels)


def measure_distances(voxels: Voxels, step: tuple[float, float, float]) -> Distances:
    """From each voxel to the boundary of its number, in nanometres; where all is one number, to the end of the array."""
    import edt
    import numpy as np

    first = voxels.flat[0]
    is_one = bool(first) and bool((voxels == first).all())
    found: Distances = edt.edt(voxels, anisotropy=step, black_border=is_one, order="F", parallel=1)
    return np.asfortranarray(found, np.float32)


def cut(start: Vec, size: Vec) -> tuple[slice, slice, slice]:
    """A part of an array."""
    x, y, z = (slice(a, a + n) for a, n in zip(start, size, strict=True))
    return (x, y, z)


def _fill(voxels: Voxels) -> None:
    from teravox.kernels.mesh.cavities import fill_cavities

    fill_cavities(voxels)


def inner_sides(frame: Frame) -> list[int]:
    """The sides where other pieces are: twice the axis, and one more for the upper one."""
    return [2 * axis + end for axis in (0, 1, 2) for end in (0, 1) if (frame.inner_low, frame.inner_high)[end][axis]]


def face(voxels: Voxels, side: int) -> Voxels:
    """The voxels of a side."""
    axis, end = divmod(side, 2)
    at = (slice(None),) * axis + (-1 if end else 0,)
    return voxels[at]
