"""An ascending list of whole numbers kept as runs: a million neighbours take no more room than one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

Run = tuple[int, int]  # the first number, and the one after the last


class Numbers(Sequence[int]):
    """Ascending numbers, looked up by their place."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs: tuple[Run, ...] = tuple(runs)
        self._starts = [start for start, _ in self.runs]
        self._before = [0]  # numbers in the runs before each
        for start, stop in self.runs:
            self._before.append(self._before[-1] + stop - start)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Numbers:
        """Those of an ascending sequence."""
        runs: list[Run] = []
        for number in numbers:
            if runs and runs[-1][1] == number:
                runs[-1] = (runs[-1][0], number + 1)
            else:
                runs.append((number, number + 1))
        return cls(runs)

    def __len__(self) -> int:
        return self._before[-1]

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number < self.runs[at][1]

    def __iter__(self) -> Iterator[int]:
        return (number for run in self.runs for number in range(*run))

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        if place < 0:
            place += len(self)
        if not 0 <= place < len(self):
            raise IndexError(place)
        at = bisect_right(self._before, place) - 1
        return self.runs[at][0] + place - self._before[at]
