"""Follows the cracks of a plane, so that each is drawn once: chains of moves from corner to corner, which branch and end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.crackle.regions import EACH, lowest

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.uint32]
Words = NDArray[np.uint64]

# The steps of a chain; the first four are moves, as the format numbers them.
UP, RIGHT, DOWN, LEFT, BRANCH, END, NOTHING = range(7)

# Cracks that leave a corner are bits; the lowest is drawn first. For each choice of them the step that this is, and
# which cracks may be left at its other end: all but itself.
_STEPS = {1: RIGHT, 2: LEFT, 4: DOWN, 8: UP}
_BACK = {RIGHT: 2, LEFT: 1, DOWN: 8, UP: 4}
_STEP = np.array([_STEPS.get(cracks & -cracks, NOTHING) for cracks in range(16)], np.uint8)
_BUT_IT = np.array([15 ^ _BACK.get(step, 0) for step in _STEP.tolist()], np.uint8)


@compiled
def list_cracks(marks: Bytes, stride: int, cracks: Bytes) -> None:
    """Which cracks leave each corner; `marks` begin with an empty row, which `cracks` lack, and have an empty column at the right."""
    here, left = marks[stride:], marks[stride - 1 :]
    for corner in range(len(cracks)):
        mark = here[corner]
        cracks[corner] = mark >> 1 | left[corner] & 2 | (mark & 1) << 2 | (marks[corner] & 1) << 3


@compiled
def follow(
    cracks: Bytes, words: Words, stride: int, steps: Bytes, starts: Numbers, ends: Numbers, waiting: Numbers
) -> int:
    """Draw the cracks, of which none are left then; how many chains there are, where each starts, and where its steps end.

    `words` are the cracks, eight corners in a number. `waiting` has room for two numbers a crack.
    """
    reach = np.empty(16, np.uint64)  # how far it is to the next corner; downwards, numbers begin again
    for choice in range(1, 16):
        step = _STEP[choice]
        reach[choice] = 1 if step == RIGHT else -1 if step == LEFT else stride if step == DOWN else -stride
    chains = at = 0
    for w in range(len(words)):
        while words[w]:
            bits = words[w]
            bits = (bits | bits >> np.uint64(1) | bits >> np.uint64(2) | bits >> np.uint64(3)) & EACH
            start = np.uint64(8 * w) + (lowest(bits) >> np.uint64(3))
            starts[chains], at = _follow_one(cracks, start, reach, steps, at, waiting)
            ends[chains] = at
            chains += 1
    return chains


@compiled
def _follow_one(cracks: Bytes, start: Any, reach: Words, steps: Bytes, at: int, waiting: Numbers) -> tuple[Any, int]:
    """Draw all that hangs together with a corner; where the chain starts in the end, and where its steps end.

    Where several cracks leave a corner it branches, and comes back when the one that it took has ended. A corner whose
    other cracks were drawn meanwhile was no branch. If the first corner branches, and the way from it ends without
    another branch, this way is drawn towards the first corner instead of from it.
    """
    begin = at
    branches = depth = 0
    corner = start
    left = cracks[corner]
    while True:
        while left:
            others = left & (left - np.uint8(1))
            if others:
                waiting[2 * depth], waiting[2 * depth + 1] = corner, at
                depth += 1
                branches += 1
                steps[at] = BRANCH
                at += 1
            cracks[corner] = others
            steps[at] = _STEP[left]
            at += 1
            corner += reach[left]
            left = cracks[corner] & _BUT_IT[left]
        cracks[corner] = 0
        if branches == 1 and depth == 1 and steps[begin] == BRANCH:
            steps[begin] = NOTHING
            _turn(steps, begin + 1, at)
            start, corner = corner, start
            depth = 0
            branches = 2  # which is not to happen again
            left = cracks[corner]
            if left:
                continue
        steps[at] = END
        at += 1
        while depth and not left:
            depth -= 1
            corner = np.uint64(waiting[2 * depth])
            left = cracks[corner]
            if not left:
                steps[waiting[2 * depth + 1]] = NOTHING
        if not left:
            return start, at


@compiled
def _turn(steps: Bytes, begin: int, end: int) -> None:
    """Draw a way without branches from its other end."""
    low, high = begin, end - 1
    while low <= high:
        steps[low], steps[high] = steps[high] ^ 2, steps[low] ^ 2
        low += 1
        high -= 1
