"""What a piece of a forge reads, beyond its own voxels."""

from __future__ import annotations

from typing import NamedTuple

from teravox.pipeline.box import Box, Vec


class Frame(NamedTuple):
    """The voxels of which a piece makes its fragments."""

    around: Box  # with a border of background, where one is wanted at the bounds
    inside: Box  # what there is to read
    inner_low: tuple[bool, bool, bool]  # whether another piece begins there, by axis
    inner_high: tuple[bool, bool, bool]


def frame_of(piece: Box, bounds: Box, *, border: int = 0, context: int = 0) -> Frame:
    """A piece with one voxel more at its upper sides, which it shares with its neighbours, and `context` more on all sides.

    At the bounds, where there is nothing more to read, it gets a border of background.
    """
    low = [a > b for a, b in zip(piece.min, bounds.min, strict=True)]
    high = [a < b for a, b in zip(piece.max, bounds.max, strict=True)]
    inside = Box(
        _vec([start - context for start in piece.min]), _vec([end + 1 + context for end in piece.max])
    ).intersect(bounds)
    around = Box(
        _vec([start - border * (not inner) for start, inner in zip(inside.min, low, strict=True)]),
        _vec([end + border * (not inner) for end, inner in zip(inside.max, high, strict=True)]),
    )
    return Frame(around, inside, (low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _vec(numbers: list[int]) -> Vec:
    x, y, z = numbers
    return (x, y, z)
