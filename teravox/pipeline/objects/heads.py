"""What the heads of all fragments of a forge say together: how much any part of the labels has."""

from __future__ import annotations

import zlib

from teravox.pipeline.objects.fragments import FragmentFile

Counts = dict[str, int]  # labels, vertices, and faces or edges: a label that lies in several pieces is counted in each

MOST_SUMMED = 12  # bits of the parts whose sums are known one by one


class Heads:
    """The sums of all pieces, for any number of parts."""

    def __init__(self, links: str) -> None:
        """`links` are what vertices are joined by: faces or edges."""
        import numpy as np

        self.crc = 0  # tells apart what was forged twice
        self._names = ("labels", "vertices", links)
        self._most = [np.zeros((len(self._names), 1 << bits), np.int64) for bits in range(MOST_SUMMED + 1)]

    def add(self, file: FragmentFile) -> None:
        """Add a piece; pieces come in any order."""
        import numpy as np

        self.crc ^= crc_of(file)
        for bits, most in enumerate(self._most):
            sums = file.sums(min(bits, file.bits))
            rows = np.array([sums[name] for name in self._names], np.int64)
            most += rows.repeat(most.shape[1] // rows.shape[1], axis=1)  # a bucket may lie in any part of it

    def largest(self, bits: int) -> Counts:
        """What none of 2^bits parts has more of: with 0 bits, all."""
        most = self._most[min(bits, MOST_SUMMED)].max(axis=1).tolist()
        return dict(zip(self._names, most, strict=True))


def crc_of(file: FragmentFile) -> int:
    """What a piece adds to the crc of all, which is their exclusive or."""
    return zlib.crc32(file.table, zlib.crc32(file.key.encode()))
