"""Many labels in 8 bytes each: sets that are compared, and samples that do not depend on the order of what comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint64]

TOGETHER = 1 << 20  # labels that wait until they are sorted into the others
SHOWN = 5  # labels that a sentence names


class LabelSet:
    """Labels, each of them once however often it comes."""

    def __init__(self) -> None:
        import numpy as np

        self._sorted: Labels = np.empty(0, np.uint64)
        self._waiting: list[Labels] = []
        self._count = 0

    def add(self, labels: Labels) -> None:
        """Add labels in any order."""
        self._waiting.append(labels)
        self._count += len(labels)
        if self._count > max(TOGETHER, len(self._sorted)):
            self._settle()

    def sorted(self) -> Labels:
        """All of them, in ascending order."""
        self._settle()
        return self._sorted

    def _settle(self) -> None:
        import numpy as np

        if self._waiting:
            self._sorted = np.unique(np.concatenate([self._sorted, *self._waiting]))
            self._waiting, self._count = [], 0


class Sample:
    """Those labels that hash lowest: the same ones for the same seed, in whatever order they come."""

    def __init__(self, number: int, seed: int) -> None:
        import numpy as np

        self._number = number
        self._salt = np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
        self._labels: Labels = np.empty(0, np.uint64)

    def add(self, labels: Labels) -> None:
        """Let labels be among those that are chosen from."""
        import numpy as np

        from teravox.pipeline.layers.sharding.murmur import murmur64

        some = np.unique(np.concatenate([self._labels, labels]))
        hashes = murmur64(murmur64(some) ^ self._salt)
        self._labels = np.sort(some[np.argsort(hashes, kind="stable")[: self._number]])

    def chosen(self) -> list[int]:
        """The labels of the sample, in ascending order."""
        return list(map(int, self._labels))


def say_labels(labels: Labels) -> str:
    """Some labels, by name, and how many more there are."""
    named = ", ".join(map(str, labels[:SHOWN].tolist()))
    more = f" and {len(labels) - SHOWN:,} more" if len(labels) > SHOWN else ""
    return f"label{'s' if len(labels) > 1 else ''} {named}{more}"
