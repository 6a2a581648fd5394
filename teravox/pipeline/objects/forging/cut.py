"""How a forge cuts a volume into pieces, and what is refused before it begins."""

from __future__ import annotations

from collections.abc import Callable

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.units import say_bytes

LARGEST = 512  # voxels along an axis, unless --shape is given
SMALLEST = 32
FAR = 1 << 30  # what lies beyond does not fit in 32 bits, in half voxels
MOST_VOXELS = 1 << 31


def choose_bounds(layer: Layer, mip: int, wished: Box | None) -> Box:
    """What is forged of a layer; BadUsage where there is none of it."""
    whole = layer.bounds(mip)
    bounds = whole if wished is None else wished.intersect(whole)
    if bounds.is_empty:
        raise BadUsage(f"--bounds: {wished} lies outside of {layer.place(mip)}, which is {whole}")
    return bounds


def check_layer(layer: Layer, mip: int, sort: Sort) -> None:
    """Raise BadUsage where a layer has no labels of which objects are made."""
    info, box = layer.info, layer.bounds(mip)
    if info.data_type.startswith("float"):
        raise BadUsage(
            f"{layer.url} holds {info.data_type}, and {sort.many} are made of labels, which are whole numbers"
        )
    if info.num_channels != 1:
        raise BadUsage(f"{layer.url} has {info.num_channels} channels, and {sort.many} are made of one")
    if info.type != "segmentation":
        raise BadUsage(f"{layer.url} is of type {info.type}, and {sort.many} are made of a segmentation")
    if not all(-FAR < n < FAR for n in (*box.min, *box.max)):
        raise BadUsage(
            f"{layer.place(mip)} is {box}, and {sort.many} lie within {-FAR:,} and {FAR:,} voxels on each axis"
        )


def check_sizes(**sizes: Vec | None) -> None:
    """Raise BadUsage where a piece, or a part of it, would have no inside."""
    for option, size in sizes.items():
        if size is not None and min(size) < 2:
            raise BadUsage(f"--{option}: expected three numbers from 2 up, got {size}")


def check_memory(shape: Vec, voxels: int, need: int, memory: int) -> None:
    """Raise BadUsage where the largest piece, of so many voxels with what it shares, does not fit."""
    if voxels >= MOST_VOXELS:
        raise BadUsage(
            f"--shape: a piece of {say_size(shape)} has {voxels:,} voxels; choose fewer than {MOST_VOXELS:,}"
        )
    if need > memory:
        raise BadUsage(
            f"--memory: a piece of {say_size(shape)} voxels needs {say_bytes(need)}, and {say_bytes(memory)} are given; "
            "choose a smaller --shape, or give more"
        )


def choose_shape(bounds: Box, whole: Vec, fits: Callable[[Box], bool], *, may_cut: bool) -> Vec:
    """Up to LARGEST along each axis, in whole chunks or cells, halved along the largest axis until the first piece fits.

    Chunks may be cut where there is no other way, and cells never.
    """
    unit = whole if not may_cut else _vec([n if n <= LARGEST else 1 for n in whole])
    shape = _vec([max(LARGEST // n, 1) * n for n in unit])
    while True:
        piece = Box(bounds.min, _vec([a + n for a, n in zip(bounds.min, shape, strict=True)])).intersect(bounds)
        if fits(piece):
            return shape
        smaller = _halve(shape, unit, piece.size, may_cut=may_cut)
        if smaller is None:
            return shape  # which does not fit, as is said then
        shape = smaller


def say_size(size: Vec) -> str:
    """A size as options have it."""
    return ",".join(map(str, size))


def _halve(shape: Vec, unit: Vec, size: Vec, *, may_cut: bool) -> Vec | None:
    """About half of a shape; None where it would be too small."""
    for axis in sorted((0, 1, 2), key=lambda axis: -size[axis]):
        half = shape[axis] // 2
        if half >= unit[axis]:
            half -= half % unit[axis]
        elif not may_cut or half < SMALLEST:
            continue
        x, y, z = (half if a == axis else n for a, n in enumerate(shape))
        return (x, y, z)
    return None


def _vec(numbers: list[int]) -> Vec:
    x, y, z = numbers
    return (x, y, z)
