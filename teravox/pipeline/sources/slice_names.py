"""The order of slice files, and the gaps in their numbers."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence

import msgspec

from teravox.pipeline.errors import BadInput

_DIGITS = re.compile(r"([0-9]+)")
WIDEST = 20  # digits of a number that is sorted by its value
SHOWN = 12  # runs of missing numbers that an error names


class Order(msgspec.Struct, frozen=True):
    """Slice files in natural order, each with its number where names have one."""

    paths: tuple[str, ...]
    numbers: tuple[int, ...] | None
    step: int

    @property
    def missing(self) -> int:
        """How many slices the numbers tell of that have no file."""
        if self.numbers is None:
            return 0
        return (self.numbers[-1] - self.numbers[0]) // self.step + 1 - len(self.numbers)

    def say_missing(self) -> str:
        """The numbers that are missing, as `3, 7-9`."""
        assert self.numbers is not None
        runs = []
        for before, after in zip(self.numbers, self.numbers[1:], strict=False):
            if after - before > self.step:
                first, last = before + self.step, after - self.step
                runs.append(str(first) if first == last else f"{first}-{last}")
        return ", ".join(runs[:SHOWN]) + (f" and {len(runs) - SHOWN} more runs" if len(runs) > SHOWN else "")

    def with_gaps(self) -> list[str | None]:
        """A file for each slice; None where one is missing."""
        if self.numbers is None or not self.missing:
            return list(self.paths)
        slots: list[str | None] = [None] * (len(self.paths) + self.missing)
        for number, path in zip(self.numbers, self.paths, strict=True):
            slots[(number - self.numbers[0]) // self.step] = path
        return slots


def put_in_order(paths: Sequence[str], place: str) -> Order:
    """Files in natural order: slice9 comes before slice10.

    The number of a slice is the one in its name that changes from file to file; of several such numbers, the one
    with the fewest gaps. Numbers may go in steps. BadInput where two files have the same number.
    """
    start = os.path.commonprefix(paths).rfind("/") + 1  # noqa: RUF071 - cut back to a folder, which is no part of the names
    ordered = sorted(sorted(paths), key=lambda path: _DIGITS.sub(_pad, _stem(path, start)))
    text = _DIGITS.sub("0", _stem(ordered[0], start))
    if any(_DIGITS.sub("0", _stem(path, start)) != text for path in ordered):  # the texts around the numbers differ
        return Order(tuple(ordered), None, 1)
    columns = _columns([_stem(path, start) for path in ordered])
    varying = [column for column in columns if len(set(column)) > 1]
    candidates = [column for column in varying if len(set(column)) == len(column)]
    if not candidates:
        if len(varying) <= 1 < len(ordered):
            _refuse_doubles((varying or columns)[-1], ordered, place)
        return Order(tuple(ordered), None, 1)
    best = min(candidates, key=_gaps)
    pairs = sorted(zip(best, ordered, strict=True))
    return Order(tuple(path for _, path in pairs), tuple(number for number, _ in pairs), _step(best))


def _stem(path: str, start: int) -> str:
    return path[start : path.rindex(".")]


def _pad(number: re.Match[str]) -> str:
    """Digits as they are sorted by their value."""
    return number[0].lstrip("0").rjust(WIDEST, "0")


def _columns(stems: list[str]) -> list[list[int]]:
    """The numbers in names, one list for each place."""
    columns: list[list[int]] = [[] for _ in _DIGITS.findall(stems[0])]
    for stem in stems:
        for column, digits in zip(columns, _DIGITS.findall(stem), strict=True):
            column.append(int(digits))
    return columns


def _step(numbers: Sequence[int]) -> int:
    low = min(numbers)
    return math.gcd(*(number - low for number in numbers))


def _gaps(numbers: Sequence[int]) -> int:
    return (max(numbers) - min(numbers)) // _step(numbers) + 1 - len(numbers)


def _refuse_doubles(numbers: Sequence[int], ordered: Sequence[str], place: str) -> None:
    seen: dict[int, str] = {}
    for number, path in zip(numbers, ordered, strict=True):
        if number in seen:
            raise BadInput(f"{place}: {seen[number]} and {path} are both slice {number}; leave one of them out")
        seen[number] = path
