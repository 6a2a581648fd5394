"""The structure tensor: how the grey changes round a voxel, as the eigenvalues of the smoothed products of its gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.learning.eigenvalues import STRIPS, XX, YX, YY, ZX, ZY, ZZ, write_eigenvalues
from teravox.kernels.learning.rows import (
    ALONG,
    KEPT,
    STRIP,
    Five,
    add_rows,
    among_kept,
    five,
    make_tables,
    sum_along,
    sum_along_x,
    sum_along_y,
    sum_along_z,
)
from teravox.kernels.learning.stencils import INNER, INNER_FIRST, SMOOTH, Stencil, Vec
from teravox.kernels.segmentation.smoothing import mirrored

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

PLANES_KEPT = 6  # of products: five smoothed along y, and the one that is made
PRODUCTS = 6

_GRADIENT = (
    (INNER_FIRST, INNER, INNER),
    (INNER, INNER_FIRST, INNER),
    (INNER, INNER, INNER_FIRST),
)
_FACTORS = {ZZ: (0, 0), YY: (1, 1), XX: (2, 2), ZY: (0, 1), ZX: (0, 2), YX: (1, 2)}


def fill_structure(blurred: Floats, into: Floats, column: int, own: Stencil, pad: Vec, around: tuple[int, ...]) -> None:
    """From a blurred image, wider by `pad` on all sides, to the columns from `column` on.

    Products are made so far around what is wanted as they are smoothed, but not beyond the ends of the image, where they
    are mirrored: `around` says how far before and behind along each axis.
    """
    before_z, behind_z, before_y, behind_y, before_x, behind_x = around
    _, planes, rows, width = into.shape
    wide = planes + before_z + behind_z, rows + before_y + behind_y, width + before_x + behind_x
    axes = [1, 2] if own.flat else [0, 1, 2]
    tables = make_tables({axis: _GRADIENT[axis] for axis in axes}, flat=own.flat)
    products = [(product, *factors, SMOOTH) for product, factors in _FACTORS.items() if set(factors) <= set(axes)]
    pitch = blurred.shape[2]
    _fill(
        blurred.reshape(-1, pitch),
        into,
        column,
        own.taps[0],
        own.taps[1],
        own.taps[2],
        np.array([*own.inner, *own.outer]),
        np.array([blurred.shape[1], pad[0] - before_z, pad[1] - before_y, pad[2] - before_x]),
        np.array([*wide, before_z, before_y, before_x]),
        tables.z,
        tables.y,
        tables.x,
        np.array(products),
        np.zeros((len(tables.z) * KEPT, pitch), np.float32),
        np.zeros((len(tables.y), pitch), np.float32),
        np.zeros((3, wide[2]), np.float32),
        np.zeros((1, wide[2] + 2 * ALONG), np.float32),
        np.zeros((PRODUCTS * wide[1], width), np.float32),
        np.zeros((KEPT * PRODUCTS * rows, width), np.float32),
        np.zeros((STRIPS, STRIP), np.float32),
    )


@compiled
def _fill(
    source: Floats,
    into: Floats,
    column: int,
    taps_z: Floats,
    taps_y: Floats,
    taps_x: Floats,
    reach: Places,  # of the gradients along z, y and x, then of what smooths their products
    layout: Places,  # rows of a plane of the source, and where the products begin in it
    wide: Places,  # how large the products are, and how far around what is wanted
    table_z: Places,
    table_y: Places,
    table_x: Places,
    products: Places,  # by line its number, its factors, and the kernel that smooths it
    along_z: Floats,
    along_y: Floats,
    gradient: Floats,
    product: Floats,
    plane: Floats,
    smoothed: Floats,
    strips: Floats,
) -> None:
    _, planes, rows, _ = into.shape
    for ahead in range(wide[0]):
        for place in range(wide[1] + 2 * reach[1]):
            row = (ahead + layout[1]) * layout[0] + layout[2] - reach[1] + place
            sum_along_z(along_z, source, five(row, layout[0], reach[0]), place, table_z, taps_z)
            y = place - 2 * reach[1]
            if y >= 0:
                sum_along_y(along_y, along_z, y + reach[1], reach[1], table_y, taps_y)
                sum_along_x(gradient, wide[2], along_y, layout[3], table_x, taps_x)
                _multiply_row(plane, y, wide, product, gradient, products, taps_x)
        for line in range(len(products)):
            base = products[line, 0] * wide[1]
            for y in range(rows):
                place = ((ahead % KEPT) * PRODUCTS + products[line, 0]) * rows + y
                around = _mirrored_five(y + wide[4], wide[1], reach[4], base)
                add_rows(smoothed, place, smoothed.shape[1], plane, around, 0, products[line, 3], taps_y)
        first = ahead - wide[3] - reach[3]  # a plane whose products are all there, and at the end all others
        for z in range(max(0, first), planes if ahead == wide[0] - 1 else first + 1):
            around = _mirrored_five(z + wide[3], wide[0], reach[3], 0)
            for y in range(rows):
                _write(strips, smoothed, into, column, z, y, around, products, taps_z, reach[0] == 0)


@compiled
def _multiply_row(
    plane: Floats, y: int, wide: Places, product: Floats, gradient: Floats, products: Places, taps: Floats
) -> None:
    """The products of one row, mirrored at its ends and smoothed along it."""
    size = wide[2]
    line = product[0]
    for number in range(len(products)):
        one, other = gradient[products[number, 1]], gradient[products[number, 2]]
        for at in range(size):
            line[ALONG + at] = one[at] * other[at]
        for beyond in range(ALONG):
            line[beyond] = line[ALONG + mirrored(beyond - ALONG, size)]
            line[ALONG + size + beyond] = line[ALONG + mirrored(size + beyond, size)]
        row = products[number, 0] * wide[1] + y
        sum_along(plane, row, plane.shape[1], product, 0, ALONG + wide[5], products[number, 3], taps)


@compiled
def _mirrored_five(middle: int, size: int, reach: int, base: int) -> Five:
    """Rows round one of so many, of which the first is `base`."""
    near, far = min(1, reach), min(2, reach)
    return (
        base + middle,
        base + mirrored(middle - near, size),
        base + mirrored(middle + near, size),
        base + mirrored(middle - far, size),
        base + mirrored(middle + far, size),
    )


@compiled
def _write(
    strips: Floats,
    smoothed: Floats,
    into: Floats,
    column: int,
    z: int,
    y: int,
    around: Five,
    products: Places,
    taps: Floats,
    flat: bool,
) -> None:
    """Smooth the products along z, and write their eigenvalues."""
    rows, width = into.shape[2], into.shape[3]
    for start in range(0, width, STRIP):
        size = min(STRIP, width - start)
        for line in range(len(products)):
            places = among_kept(around, products[line, 0] * rows + y, PRODUCTS * rows)
            add_rows(strips, products[line, 0], size, smoothed, places, start, products[line, 3], taps)
        write_eigenvalues(strips, into, column, z, y, start, size, flat)
