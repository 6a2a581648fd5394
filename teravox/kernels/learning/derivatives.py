"""The filters that are made of derivatives of a blurred image, of which they share what they can."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.learning.eigenvalues import STRIPS, XX, YX, YY, ZX, ZY, ZZ, write_eigenvalues
from teravox.kernels.learning.rows import (
    KEPT,
    STRIP,
    five,
    make_tables,
    sum_along_x,
    sum_along_y,
    sum_along_z,
    write,
)
from teravox.kernels.learning.selection import FILTERS, TENSOR
from teravox.kernels.learning.stencils import FIRST, NARROW, SECOND, SMOOTH, Stencil, Vec

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

_FILTERS = tuple(name for name in FILTERS if name != TENSOR)
_SMOOTHING, _LAPLACIAN, _MAGNITUDE, _DIFFERENCE, _HESSIAN = range(len(_FILTERS))
_DZ, _DY, _DX, _VALUE, _NARROW_VALUE = range(STRIPS, STRIPS + 5)  # strips, behind those of matrices

# By strip the kernels along z, y and x that make it.
_KERNELS = {
    ZZ: (SECOND, SMOOTH, SMOOTH),
    YY: (SMOOTH, SECOND, SMOOTH),
    XX: (SMOOTH, SMOOTH, SECOND),
    ZY: (FIRST, FIRST, SMOOTH),
    ZX: (FIRST, SMOOTH, FIRST),
    YX: (SMOOTH, FIRST, FIRST),
    _DZ: (FIRST, SMOOTH, SMOOTH),
    _DY: (SMOOTH, FIRST, SMOOTH),
    _DX: (SMOOTH, SMOOTH, FIRST),
    _VALUE: (SMOOTH, SMOOTH, SMOOTH),
    _NARROW_VALUE: (NARROW, NARROW, NARROW),
}
_STRIPS_OF = (
    (_VALUE,),
    (ZZ, YY, XX),
    (_DZ, _DY, _DX),
    (_VALUE, _NARROW_VALUE),
    (ZZ, YY, XX, ZY, ZX, YX),
)


def fill_derivatives(blurred: Floats, into: Floats, columns: Mapping[str, int], own: Stencil, pad: Vec) -> None:
    """From a blurred image, wider by `pad` on all sides, to the columns of the filters that have one."""
    wanted = np.array([columns.get(name, -1) for name in _FILTERS])
    strips = {strip for number, column in enumerate(wanted) if column >= 0 for strip in _STRIPS_OF[number]}
    if strips:
        tables = make_tables({strip: _KERNELS[strip] for strip in sorted(strips)}, flat=own.flat)
        planes, rows, pitch = blurred.shape
        _fill(
            blurred.reshape(planes * rows, pitch),
            into,
            wanted,
            own.taps[0],
            own.taps[1],
            own.taps[2],
            np.array(own.reach),
            np.array([rows, *pad]),
            tables.z,
            tables.y,
            tables.x,
            np.zeros((len(tables.z) * KEPT, pitch), np.float32),
            np.zeros((len(tables.y), pitch), np.float32),
            np.zeros((STRIPS + 5, STRIP), np.float32),
        )


@compiled
def _fill(
    source: Floats,
    into: Floats,
    columns: Places,
    taps_z: Floats,
    taps_y: Floats,
    taps_x: Floats,
    reach: Places,
    layout: Places,  # rows of a plane of the source, and how much wider it is along z, y and x
    table_z: Places,
    table_y: Places,
    table_x: Places,
    along_z: Floats,
    along_y: Floats,
    strips: Floats,
) -> None:
    _, planes, rows, width = into.shape
    for z in range(planes):
        for ahead in range(rows + 2 * reach[1]):
            first = (z + layout[1]) * layout[0] + layout[2] - reach[1]
            sum_along_z(along_z, source, five(first + ahead, layout[0], reach[0]), ahead, table_z, taps_z)
            y = ahead - 2 * reach[1]
            if y < 0:
                continue
            sum_along_y(along_y, along_z, y + reach[1], reach[1], table_y, taps_y)
            for start in range(0, width, STRIP):
                size = min(STRIP, width - start)
                sum_along_x(strips, size, along_y, start + layout[3], table_x, taps_x)
                if columns[_SMOOTHING] >= 0:
                    write(into, columns[_SMOOTHING], z, y, start, strips, _VALUE, size)
                _combine(strips, into, columns, z, y, start, size)
                if columns[_HESSIAN] >= 0:
                    write_eigenvalues(strips, into, columns[_HESSIAN], z, y, start, size, reach[0] == 0)


@compiled
def _combine(strips: Floats, into: Floats, columns: Places, z: int, y: int, start: int, size: int) -> None:
    """What is made of several sums."""
    stop = start + size
    if columns[_LAPLACIAN] >= 0:
        result = into[columns[_LAPLACIAN], z, y, start:stop]
        for at in range(size):
            result[at] = strips[ZZ, at] + strips[YY, at] + strips[XX, at]
    if columns[_MAGNITUDE] >= 0:
        result = into[columns[_MAGNITUDE], z, y, start:stop]
        for at in range(size):
            dz, dy, dx = strips[_DZ, at], strips[_DY, at], strips[_DX, at]
            result[at] = math.sqrt(dz * dz + dy * dy + dx * dx)
    if columns[_DIFFERENCE] >= 0:
        result = into[columns[_DIFFERENCE], z, y, start:stop]
        for at in range(size):
            result[at] = strips[_VALUE, at] - strips[_NARROW_VALUE, at]
