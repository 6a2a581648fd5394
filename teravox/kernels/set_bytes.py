"""Finds what is set in a row of flags without a look at each: eight flags are one word, and most words are 0."""

from __future__ import annotations

import numpy as np

from teravox.kernels.compiled import compiled

EIGHT = 8  # flags in a word, each a byte of 0 or 1; rows of flags are padded to whole words
_ONE, _ONES, _TOP = np.uint64(1), np.uint64(0x0101010101010101), np.uint64(56)


@compiled
def first_set(word: np.uint64) -> np.int64:
    """Which flag of a word that is not 0 is the first one set; `word & (word - 1)` has the others."""
    before = ((word & (~word + _ONE)) - _ONE) & _ONES  # a one for each flag before it
    return np.int64((before * _ONES) >> _TOP)


@compiled
def shifted(word: np.uint64, before: np.uint64) -> np.uint64:
    """Each flag one place further, the first one from the end of the word before."""
    return (word << np.uint64(8)) | (before >> _TOP)
