"""Numbers the regions of a plane, from the marks of where one ends: regions hang together along x and y."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.crackle.checksums import BITS, Sums, sum_plane

Numbers = NDArray[np.uint32]
Words = NDArray[np.uint64]

DOWN_FROM, RIGHT_FROM = 1, 2  # marks of a corner: a crack goes down from it, or to the right
NONE = np.uint32(0xFFFFFFFF)
EACH = np.uint64(0x0101010101010101)  # the lowest bit of each of eight bytes
_GATHER = np.uint64(0x0102040810204080)  # brings these together in the highest byte
_0, _1 = np.uint64(0), np.uint64(1)

# A number whose 64 shifts all begin with other 6 bits, and what shift it is by these.
_SHIFTED = 0x03F79D71B4CB0A89
_SHIFTS = np.empty(64, np.uint8)
for _shift in range(64):
    _SHIFTS[(_SHIFTED << _shift & (1 << 64) - 1) >> 58] = _shift


def stride_of(sx: int) -> int:
    """The bytes of a row of marks: one for each corner, and so many more that each row begins with a word."""
    return (sx // 8 + 1) * 8


@compiled
def lowest(bits: Any) -> Any:  # unsigned numbers of 64 bits
    """Where a word has its lowest bit."""
    return np.uint64(_SHIFTS[(bits & (~bits + _1)) * np.uint64(_SHIFTED) >> np.uint64(58)])


@compiled
def number_regions(
    words: Words,
    sx: int,
    sy: int,
    weights: Sums,
    begins: Numbers,
    numbers: Numbers,
    firsts: Numbers,
    parents: Numbers,
    factors: Sums,
) -> tuple[int, int]:
    """Write the runs of a plane along x and which region each belongs to; where they end, and how many regions are numbered.

    `words` are the marks, eight corners in a number, from the first row of voxels on. Runs begin at voxels of the plane; behind
    the last one stands where the plane ends. `firsts` gets where each region begins, and `factors` what is needed for its
    check sum. Where two runs lie side by side, all their voxels belong together or none do, so one place says it.
    """
    across = (sx + 63) >> 6
    ends, ends_above, cracks = np.zeros(across, np.uint64), np.zeros(across, np.uint64), np.zeros(across, np.uint64)
    news = np.uint32(0)
    above = at = _0
    for y in range(sy):
        base = np.uint64(y) * np.uint64(sx)
        row = at
        _gather(words, np.uint64(y) * np.uint64(len(words) // (sy + 1)), sx, ends, cracks)
        is_like_above = y > 0
        for w in range(across):
            is_like_above &= cracks[w] == 0 and ends[w] == ends_above[w]
        if is_like_above:
            while above < row:
                begins[at] = begins[above] + np.uint32(sx)
                numbers[at] = numbers[above]
                above += _1
                at += _1
        else:
            for w in range(across):
                bits = ends[w]
                while bits:
                    begins[at] = base + np.uint64(64 * w) + lowest(bits)
                    numbers[at] = NONE
                    at += _1
                    bits &= bits - _1
            if y > 0:
                _join(ends, ends_above, cracks, row, above, numbers, parents)
            above = row
            for w in range(across):
                ends_above[w] = ends[w]
        begins[at] = base + np.uint64(sx)
        run = row
        while run < at:
            number = numbers[run]
            if number == NONE:
                number = news
                numbers[run] = number
                parents[number] = number
                firsts[number] = begins[run]
                factors[number] = 0
                news += np.uint32(1)
            factors[number] ^= weights[begins[run]] ^ weights[begins[run + _1]]
            run += _1
    return np.int64(at), np.int64(news)  # type: ignore[return-value]  # numba makes ints of them


@compiled
def _gather(words: Words, begin: Any, sx: int, ends: Words, cracks: Words) -> None:
    """Put where runs of a row begin and where there is a crack above it into bits, which are bytes in `words`."""
    for w in range(len(ends)):
        end = crack = _0
        for k in range(8 * w, min(8 * w + 8, (sx + 7) >> 3)):
            word, place = words[begin + np.uint64(k)], np.uint64(8 * (k & 7))
            end |= ((word & EACH) * _GATHER >> np.uint64(56)) << place
            crack |= ((word >> _1 & EACH) * _GATHER >> np.uint64(56)) << place
        ends[w], cracks[w] = end, crack
    ends[0] |= _1
    if sx & 63:  # what is behind the row does not count
        inside = (_1 << np.uint64(sx & 63)) - _1
        ends[-1] &= inside
        cracks[-1] &= inside


@compiled
def _join(
    ends: Words, ends_above: Words, cracks: Words, row: Any, above: Any, numbers: Numbers, parents: Numbers
) -> None:
    """Give the runs of a row the numbers of those above that they hang together with; of two numbers the lower stands for both."""
    run, above = row - _1, above - _1
    for w in range(len(ends)):
        here, there, crack = ends[w], ends_above[w], cracks[w]
        bits = here | there
        while bits:
            place = lowest(bits)
            bits &= bits - _1
            run += here >> place & _1
            above += there >> place & _1
            if crack >> place & _1:
                continue
            root = _root(parents, numbers[above])
            number = numbers[run]
            if number == NONE:
                numbers[run] = root
            elif number != root:
                number = _root(parents, number)
                low, high = min(number, root), max(number, root)
                parents[high] = low
                numbers[run] = low


@compiled
def _root(parents: Numbers, number: Any) -> Any:  # numbers of 32 bits
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


@compiled
def close_numbers(firsts: Numbers, parents: Numbers, factors: Sums, news: int, weights: Sums) -> tuple[int, Any]:
    """Leave out the numbers of regions that were found to be another's; how many remain, and the plane's check sum.

    `parents` becomes what number each one has now.
    """
    by_bit = np.empty(BITS, np.uint32)
    by_bit[:] = weights[0] ^ weights[1]  # as CRC-32C begins with all ones
    for number in range(news - 1, -1, -1):
        if parents[number] != number:
            factors[parents[number]] ^= factors[number]
    regions = 0
    for number in range(news):
        parent = parents[number]
        if parent != number:
            parents[number] = parents[parent]
            continue
        parents[number] = regions
        firsts[regions] = firsts[number]
        bits = regions
        bit = 0
        while bits:
            if bits & 1:
                by_bit[bit] ^= factors[number]
            bits >>= 1
            bit += 1
        regions += 1
    return regions, sum_plane(by_bit)
