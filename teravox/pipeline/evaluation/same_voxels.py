"""Which mips of two layers have voxels of one size, so that one box names the same place in both."""

from __future__ import annotations

import math

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer

_NEAR = 1e-6  # of a size, as infos are written by many programs


def mip_like(a: Layer, mip: int, b: Layer) -> int:
    """The mip of B whose voxels are as large as those of a mip of A; BadUsage if there is none."""
    for other in range(len(b.info.scales)):
        if _is_same(a, mip, b, other):
            return other
    sizes = ", ".join(say_resolution(b, other) for other in range(len(b.info.scales)))
    raise BadUsage(
        f"--mip: voxels of {a.place(mip)} are {say_resolution(a, mip)} nm, and {b.url} has {sizes}: only voxels of one "
        "size can be compared. Choose another --mip, or downsample one of the layers"
    )


def refuse_other_voxels(a: Layer, mip_a: int, b: Layer, mip_b: int) -> None:
    if not _is_same(a, mip_a, b, mip_b):
        raise BadUsage(
            f"--mip-b: voxels of {a.place(mip_a)} are {say_resolution(a, mip_a)} nm, and those of {b.place(mip_b)} are "
            f"{say_resolution(b, mip_b)} nm: only voxels of one size can be compared"
        )


def times_larger(fine: Layer, mip: int, coarse: Layer, other: int) -> tuple[int, int, int] | None:
    """How many times larger the voxels of another mip are in x, y and z; None where that is no whole number."""
    factors = []
    for n, m in zip(fine.scale(mip).resolution, coarse.scale(other).resolution, strict=True):
        factor = round(m / n)
        if factor < 1 or not math.isclose(m / n, factor, rel_tol=_NEAR):
            return None
        factors.append(factor)
    return factors[0], factors[1], factors[2]


def say_resolution(layer: Layer, mip: int) -> str:
    return "x".join(f"{number:g}" for number in layer.scale(mip).resolution)


def _is_same(a: Layer, mip_a: int, b: Layer, mip_b: int) -> bool:
    return times_larger(a, mip_a, b, mip_b) == (1, 1, 1)
