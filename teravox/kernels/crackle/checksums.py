"""The check sums of crackle: CRC-8 of the header, CRC-32C of everything else, and that of a plane by its runs.

A plane's sum is of the numbers of its regions, four bytes each. Sums are linear, so a run of one number adds as much as
the number times a factor that depends only on where the run begins and ends; nothing has to go through every voxel.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only

Bytes = NDArray[np.uint8]
Sums = NDArray[np.uint32]

_HEADER_POLYNOMIAL = 0xE7
_POLYNOMIAL = np.uint32(0x82F63B78)  # of CRC-32C; the highest bit stands for 1, and a step to the right for times x
_ONE = np.uint32(0x80000000)
_ALL = np.uint32(0xFFFFFFFF)
BITS = 32

_OF_A_BYTE = np.arange(256, dtype=np.uint32)  # what eight steps make of each
for _ in range(8):
    _OF_A_BYTE = _OF_A_BYTE >> np.uint32(1) ^ _POLYNOMIAL * (_OF_A_BYTE & np.uint32(1))


def crc8(data: bytes | bytearray) -> int:
    """The sum of a header."""
    crc = 0xFF
    for byte in data:
        crc = _steps8(crc ^ byte)
    return crc


@lru_cache(maxsize=256)
def _steps8(crc: int) -> int:
    for _ in range(8):
        crc = crc >> 1 ^ (_HEADER_POLYNOMIAL if crc & 1 else 0)
    return crc


def crc32c(data: Bytes) -> int:
    return int(_crc32c(read_only(data)))


@compiled
def _crc32c(data: Bytes) -> int:
    crc = _ALL
    for byte in data:
        crc = _OF_A_BYTE[(crc ^ byte) & np.uint32(255)] ^ crc >> np.uint32(8)
    return crc ^ _ALL  # type: ignore[return-value]  # numba makes an int of it


@lru_cache(maxsize=4)
def weigh(voxels: int) -> Sums:
    """For each place in a plane, and its end, a factor: a run adds its number times those of its two ends, combined by XOR."""
    weights = np.zeros(voxels + 1, np.uint32)
    _weigh(weights)
    return read_only(weights)


@compiled
def _weigh(weights: Sums) -> None:
    power = _ONE
    for place in range(len(weights) - 2, -1, -1):
        for _ in range(BITS):
            power = times_x(power)
        weights[place] = weights[place + 1] ^ power


@compiled
def times_x(crc: np.uint32) -> np.uint32:
    return crc >> np.uint32(1) ^ _POLYNOMIAL * (crc & np.uint32(1))


@compiled
def sum_plane(factors: Sums) -> np.uint32:
    """The sum of a plane; `factors` has, for each bit of a number, those of all runs whose number has it."""
    crc = np.uint32(0)
    for bit in range(BITS):
        crc = times_x(crc) ^ factors[bit]
    return crc ^ _ALL
