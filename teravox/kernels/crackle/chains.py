"""Writes the chains of a plane: where each starts, row by row, and all steps behind one another, two bits each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.crackle.outlines import BRANCH, DOWN, LEFT, NOTHING, RIGHT, UP

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.uint32]

LENGTH = 4  # bytes that say how many follow until the steps begin


@compiled
def sort_chains(starts: Numbers, chains: int, order: Numbers) -> None:
    """The order of the chains by the corners where they start; most are in it already."""
    for chain in range(chains):
        order[chain] = chain
    gap = chains // 2
    while gap:
        for one in range(gap, chains):
            moved = order[one]
            place = one
            while place >= gap and starts[order[place - gap]] > starts[moved]:
                order[place] = order[place - gap]
                place -= gap
            order[place] = moved
        gap //= 2


@compiled
def write_starts(
    starts: Numbers, chains: int, order: Numbers, stride: int, width_x: int, width_y: int, out: Bytes, at: int
) -> int:
    """The rows that have starts, each as its distance from the row before, and in each the starts likewise; where they end."""
    begin = at
    at += LENGTH
    rows_at = at
    at += width_y
    rows = last_row = chain = 0
    while chain < chains:
        row = starts[order[chain]] // stride
        at = _write(row - last_row, width_y, out, at)
        last_row = row
        rows += 1
        number_at = at
        at += width_x
        number = last = 0
        while chain < chains and starts[order[chain]] // stride == row:
            x = starts[order[chain]] % stride
            at = _write(x - last, width_x, out, at)
            last = x
            number += 1
            chain += 1
        _write(number, width_x, out, number_at)
    _write(rows, width_y, out, rows_at)
    _write(at - begin - LENGTH, LENGTH, out, begin)
    return at


@compiled
def _write(number: int, width: int, out: Bytes, at: int) -> int:
    for _ in range(width):
        out[at] = number & 255
        number >>= 8
        at += 1
    return at


@compiled
def write_steps(steps: Bytes, ends: Numbers, chains: int, order: Numbers, out: Bytes, at: int) -> int:
    """Each move as its difference to the one before; where they end.

    A move and back again, which no chain needs, says that it branches or ends: which one is free, and so chosen that the
    move before it cannot be taken for its half.
    """
    packed = held = before = np.int64(0)
    for which in range(chains):
        chain = order[which]
        last = np.int64(NOTHING)
        for place in range(ends[chain - 1] if chain else 0, ends[chain]):
            step = np.int64(steps[place])
            if step == NOTHING:
                continue
            if step < BRANCH:
                packed |= ((step - before) & 3) << held
                held += 2
                last = step
            else:
                if step == BRANCH:
                    there = np.int64(UP if last not in (NOTHING, DOWN) else LEFT)
                else:
                    there = np.int64(DOWN if last not in (NOTHING, UP) else RIGHT)
                last = there ^ 2
                packed |= ((there - before) & 3) << held | 2 << (held + 2)
                held += 4
            before = last
            while held >= 8:
                out[at] = packed & 255
                at += 1
                packed >>= 8
                held -= 8
    if held:
        out[at] = packed
        at += 1
    return at
