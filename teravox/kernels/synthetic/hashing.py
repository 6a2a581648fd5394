"""Random numbers by place: the same ones for the same place and seed, whoever asks and in whatever order.

There are no sines, logarithms or powers here or in what is made of it, only what every processor rounds alike.
"""

from __future__ import annotations

import numpy as np

from teravox.kernels.compiled import compiled

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_MANTISSA = 1.0 / (1 << 53)
_PART = np.uint64(0xFFFF)
_MEAN = 131070.0  # of the sum of four parts of 16 bits
_DEVIATION = 37837.2


@compiled
def mix(state: np.uint64, number: int) -> np.uint64:
    """A state and a whole number as a new state, by the finalizer of SplitMix64."""
    h = state + np.uint64(number + 1) * _STEP
    h = (h ^ (h >> np.uint64(30))) * _FIRST
    h = (h ^ (h >> np.uint64(27))) * _SECOND
    return h ^ (h >> np.uint64(31))


@compiled
def mix3(state: np.uint64, x: int, y: int, z: int) -> np.uint64:
    """A state and a place as a new state."""
    return mix(mix(mix(state, z), y), x)


@compiled
def unit(state: np.uint64) -> float:
    """A number from 0 up to, and without, 1."""
    return np.float64(state >> np.uint64(11)) * _MANTISSA


@compiled
def bell(state: np.uint64) -> float:
    """A number around 0 with a standard deviation of 1, nearly normal: the sum of four even ones."""
    total = (state & _PART) + (state >> np.uint64(16) & _PART) + (state >> np.uint64(32) & _PART)
    return (np.float64(total + (state >> np.uint64(48))) - _MEAN) / _DEVIATION
