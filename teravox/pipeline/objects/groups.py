"""How the labels of a part are grouped, so that what is read at once fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Group(NamedTuple):
    """Labels from index `first` up to `last` that are read together, or one that is too large for that."""

    first: int
    last: int
    is_giant: bool


def group_by(needs: NDArray[np.int64], is_giant: NDArray[np.bool_], most: int) -> Iterator[Group]:
    """All labels, in order, in groups that need at most so many bytes; each giant is a group of its own."""
    first = 0
    for last in _ends(needs, is_giant, most):
        yield Group(first, last, bool(is_giant[first]))
        first = last


def _ends(needs: NDArray[np.int64], is_giant: NDArray[np.bool_], most: int) -> Iterator[int]:
    """Where groups end: before they would need too much, and around each giant."""
    total = 0
    for at, (need, giant) in enumerate(zip(needs.tolist(), is_giant.tolist(), strict=True)):
        if at and (giant or is_giant[at - 1] or total + need > most):
            yield at
            total = 0
        total += need
    if len(needs):
        yield len(needs)
