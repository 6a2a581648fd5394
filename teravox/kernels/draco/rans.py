"""Codes symbols in as few bits as their frequencies allow: rANS. The last symbol is written first, so that a reader begins with the first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.draco.output import Bytes, put_bytes, put_number

Numbers = NDArray[np.int32]

FLAG_BASE, FLAG_WHOLE = 1 << 12, 1 << 8


@compiled
def share(frequencies: Numbers, whole: int) -> tuple[Numbers, Numbers]:
    """What each symbol gets of the whole, at least 1, nearly by its frequency; and what all before it get."""
    total = 0
    for frequency in frequencies:
        total += frequency
    shares = np.empty(len(frequencies), np.int32)
    given, largest = 0, 0
    for i in range(len(frequencies)):
        shares[i] = max(1, (2 * frequencies[i] * whole + total) // (2 * total))
        given += shares[i]
        if shares[i] > shares[largest]:
            largest = i
    if given < whole:
        shares[largest] += whole - given
    while given > whole:
        spare = given - whole
        wide = given - len(shares)  # what could be taken at all
        for i in range(len(shares)):
            taken = min(given - whole, shares[i] - 1, (shares[i] - 1 * spare + wide - 1) // wide)
            shares[i] -= taken
            given -= taken
    before = np.empty(len(shares), np.int32)
    at = 0
    for i in range(len(shares)):
        before[i] = at
        at += shares[i]
    return shares, before


@compiled
def put_shares(out: Bytes, at: int, symbols: Numbers, shares: Numbers) -> int:
    """The shares of symbols that are in order; those between have none."""
    at = put_number(out, at, symbols[-1] + 1)
    expected = 0
    for i in range(len(symbols)):
        missing = symbols[i] - expected
        while missing:
            run = min(missing, 64)
            out[at] = np.uint8((run - 1) << 2 | 3)
            at += 1
            missing -= run
        part = shares[i]
        more = 0 if part < 1 << 6 else 1 if part < 1 << 14 else 2
        out[at] = np.uint8((part << 2 | more) & 255)
        for k in range(more):
            out[at + 1 + k] = np.uint8(part >> (8 * k + 6) & 255)
        at += 1 + more
        expected = symbols[i] + 1
    return at


@compiled
def push(out: Bytes, at: int, state: int, part: int, before: int, bits: int) -> tuple[int, int]:
    """Code a symbol that has such a part of a whole of 2^bits; where it ended, and the state now."""
    while state >= part << 10:
        out[at] = np.uint8(state & 255)
        state >>= 8
        at += 1
    turns = state // part
    return at, (turns << bits) + state - turns * part + before


@compiled
def end(out: Bytes, at: int, rest: int) -> int:
    """Write what the state is above its base."""
    more = 0 if rest < 1 << 6 else 1 if rest < 1 << 14 else 2 if rest < 1 << 22 else 3
    rest |= more << (8 * more + 6)
    for k in range(more + 1):
        out[at + k] = np.uint8(rest >> 8 * k & 255)
    return at + more + 1


@compiled
def put_sized(out: Bytes, at: int, coded: Bytes) -> int:
    """Bytes, and before them how many they are."""
    return put_bytes(out, put_number(out, at, len(coded)), coded)


@compiled
def put_flags(out: Bytes, at: int, flags: NDArray[np.bool_]) -> int:
    """Yes and no, coded by how many are no."""
    noes = 0
    for flag in flags:
        noes += not flag
    no = min(255, max(1, (512 * noes + len(flags)) // (2 * max(1, len(flags)))))
    yes = FLAG_WHOLE - no
    coded = np.empty(len(flags) + 4, np.uint8)
    state, size = FLAG_BASE, 0
    for i in range(len(flags) - 1, -1, -1):
        part = yes if flags[i] else no
        if state >= (FLAG_BASE // FLAG_WHOLE << 8) * part:
            coded[size] = np.uint8(state & 255)
            state >>= 8
            size += 1
        turns = state // part
        state = turns * FLAG_WHOLE + state - turns * part + (0 if flags[i] else yes)
    size = end(coded, size, state - FLAG_BASE)
    out[at] = np.uint8(no)
    return put_sized(out, at + 1, coded[:size])
