"""What a block shows to its neighbours: the labels of its overlaps, as runs, which are quick to write, read and compare.

Rows go along x; where an overlap is thin in x they go along y, so that there are fewer runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.bundle import Bundle, Head
from teravox.pipeline.errors import BadInput
from teravox.pipeline.segmentation.plan_file import REMEDY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.stitching.runs import Runs

    Labels = NDArray[np.uint32]  # of a box: x, y, z in Fortran order
    Column = NDArray[Any]  # of the smallest numbers that hold it


def face_name(axis: int, side: int) -> str:
    """The name of a face in a block's file."""
    return f"{'xyz'[axis]}{side}"


def pack_face(labels: Labels, axis: int, side: int) -> list[tuple[str, Column]]:
    """The labels and the lengths of the runs of an overlap, by their names in a file."""
    import numpy as np

    from teravox.kernels.stitching.runs import cut_runs

    columns = cut_runs(labels.transpose(1, 0, 2) if axis == 0 else labels)
    smallest = [column.astype(np.min_scalar_type(int(column.max(initial=0)))) for column in columns]
    return list(zip(_names(axis, side), smallest, strict=True))


def turned(box: Box, axis: int) -> Vec:
    """The size of an overlap as its rows see it: with x and y exchanged where it is thin in x."""
    x, y, z = box.size
    return (y, x, z) if axis == 0 else (x, y, z)


def turned_axis(axis: int) -> int:
    """Which axis of an overlap's rows is the one that it is thin in."""
    return 1 if axis == 0 else axis


def unpack_face(bundle: Bundle, axis: int, side: int, box: Box, place: str) -> Runs:
    """The runs of an overlap; BadInput where they do not fill it."""
    import numpy as np

    from teravox.kernels.stitching.runs import make_runs

    labels, lengths = (bundle.get(name).astype(np.uint32) for name in _names(axis, side))
    nx, ny, nz = turned(box, axis)
    try:
        return make_runs(labels, lengths, nx, ny * nz)
    except ValueError as error:
        raise BadInput(f"{place} cannot be read: {error}; {REMEDY}") from None


def fill_face(runs: Runs, axis: int, box: Box) -> Labels:
    """The labels of an overlap, voxel by voxel."""
    import numpy as np

    size = turned(box, axis)
    voxels = np.zeros(size, np.uint32, order="F")
    flat = voxels.reshape(-1, order="F")
    corners = np.repeat(np.arange(len(runs.rows) - 1) * size[0], np.diff(runs.rows))
    for start, end, label in zip(corners + runs.starts, corners + runs.ends, runs.labels, strict=True):
        flat[start:end] = label
    return np.asfortranarray(voxels.transpose(1, 0, 2)) if axis == 0 else voxels


def count_runs(head: Head, axis: int, side: int) -> int:
    """How many runs a face has, without reading them."""
    return head.length(_names(axis, side)[0])


def _names(axis: int, side: int) -> tuple[str, str]:
    name = face_name(axis, side)
    return f"{name}.labels", f"{name}.lengths"
