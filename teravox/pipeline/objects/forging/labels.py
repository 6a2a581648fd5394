"""The voxels of a piece as numbers, and which of them become objects of what label."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.objects.forging.frame import Frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint64]
    Flags = NDArray[np.bool_]
    Voxels = NDArray[Any]  # unsigned whole numbers in x, y and z


class Selection(NamedTuple):
    """Which labels become objects."""

    remap: Callable[[Labels], Labels] | None  # what labels become, before anything else is asked
    dust: int  # labels of fewer voxels are left out
    total: (
        Callable[[Labels], Labels] | None
    )  # the voxels of labels in the whole volume; None: dust is what lies within a piece
    only: tuple[int, ...]  # empty: all
    without: tuple[int, ...]
    fill_holes: bool


class Numbered(NamedTuple):
    """Voxels as numbers, in Fortran order; number 0 is background."""

    voxels: Voxels
    labels: Labels  # by number
    wanted: Flags  # by number
    whole: Voxels  # the memory in which the numbers lie

    @property
    def spare(self) -> NDArray[np.uint8]:
        """Memory for a byte of each voxel: what 64-bit labels have left of theirs, or else new."""
        import numpy as np

        size = self.voxels.size
        if self.whole.itemsize == self.voxels.itemsize:
            return np.empty(size, np.uint8)
        return self.whole.reshape(-1, order="F").view(np.uint8)[size * self.voxels.itemsize :][:size]


def read_numbered(layer: Layer, mip: int, frame: Frame, selection: Selection, *, fill_missing: bool) -> Numbered:
    """Read a piece, with its border, and choose its labels."""
    from teravox.kernels.mesh.cavities import fill_cavities
    from teravox.kernels.mesh.numbering import number_labels, renumber

    voxels = _read(layer, mip, frame, fill_missing=fill_missing)
    flat, labels = number_labels(voxels.reshape(-1, order="F"))
    if layer.dtype.kind == "i" and (labels >> (8 * layer.dtype.itemsize - 1)).any():
        raise BadInput(f"{frame.inside} of {layer.place(mip)} has labels below 0, and labels are counted from 0 up")
    numbers = flat.reshape(voxels.shape, order="F")
    if selection.remap is not None:
        labels = _join(flat, selection.remap(labels))
    dust = _find_dust(numbers, labels, frame, selection)
    if selection.fill_holes:
        if dust.any():
            renumber(flat, _numbers(dust, flat), flat)
        fill_cavities(numbers)
    return Numbered(numbers, labels, ~dust & _choose(labels, selection), voxels)


def _read(layer: Layer, mip: int, frame: Frame, *, fill_missing: bool) -> Voxels:
    import numpy as np

    from teravox.pipeline.layers.chunk_source import ChunkSource

    make = np.empty if frame.around == frame.inside else np.zeros
    voxels = make((*frame.around.size, 1), layer.dtype, order="F")
    inside = voxels[within(frame.inside, frame.around)]
    ChunkSource(layer, mip, fill_missing=fill_missing).fill(frame.inside, inside)
    return voxels.view(f"u{layer.dtype.itemsize}")[..., 0]


def _join(flat: Voxels, became: Labels) -> Labels:
    """Let numbers whose labels became one be one; the labels by their new numbers."""
    import numpy as np

    from teravox.kernels.mesh.numbering import renumber

    became[0] = 0  # background
    joined, table = np.unique(became, return_inverse=True)
    renumber(flat, table.astype(flat.dtype), flat)
    return joined


def _find_dust(numbers: Voxels, labels: Labels, frame: Frame, selection: Selection) -> Flags:
    """The numbers that are too small, and not known to go on elsewhere."""
    import numpy as np

    from teravox.kernels.mesh.numbering import count_voxels

    if selection.dust <= 1:
        return np.zeros(len(labels), np.bool_)
    if selection.total is not None:
        return selection.total(labels) < selection.dust
    dust = count_voxels(numbers.reshape(-1, order="F"), len(labels)) < selection.dust
    for axis in (0, 1, 2):
        for end, inner in ((0, frame.inner_low[axis]), (-1, frame.inner_high[axis])):
            if inner:
                dust[np.take(numbers, end, axis)] = False
    return dust


def _choose(labels: Labels, selection: Selection) -> Flags:
    import numpy as np

    wanted: Flags = labels != 0
    if selection.only:
        wanted &= np.isin(labels, np.array(selection.only, np.uint64))
    if selection.without:
        wanted &= ~np.isin(labels, np.array(selection.without, np.uint64))
    return wanted


def _numbers(left_out: Flags, flat: Voxels) -> Voxels:
    """A table of all numbers, with 0 for those that are left out."""
    import numpy as np

    return np.where(left_out, 0, np.arange(len(left_out))).astype(flat.dtype)
