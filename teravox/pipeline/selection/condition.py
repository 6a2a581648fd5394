"""What is asked of labels, by the columns of their table: `voxels >= 100 and radius < 5000`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of a column's type

_COMPARISON = re.compile(
    r"\s*([A-Za-z_]\w*)\s*(<=|>=|==|!=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*", re.ASCII
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {  # Any: numbers, and arrays of them
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
FORM = "COLUMN < NUMBER"


class Comparison(NamedTuple):
    """A column compared with a number."""

    column: str
    how: str
    number: int | float

    def holds(self, columns: Mapping[str, Array]) -> NDArray[np.bool_]:
        """For each row; whole numbers are compared exactly."""
        found: NDArray[np.bool_] = _COMPARE[self.how](columns[self.column], self.number)
        return found


class Condition(NamedTuple):
    """Any of these, of each of which all must hold."""

    any_of: tuple[tuple[Comparison, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it asks for, each once."""
        return tuple(dict.fromkeys(one.column for all_of in self.any_of for one in all_of))

    def holds(self, columns: Mapping[str, Array]) -> NDArray[np.bool_]:
        """For each row."""
        import numpy as np

        kept: NDArray[np.bool_] = np.logical_or.reduce(
            [np.logical_and.reduce([one.holds(columns) for one in all_of]) for all_of in self.any_of]
        )
        return kept


def parse_condition(text: str) -> Condition:
    """A condition as it is typed: comparisons with `and`, which binds them closer, and `or` between.

    ValueError with a sentence says what is wrong.
    """
    return Condition(
        tuple(tuple(map(_parse_comparison, re.split(r"\band\b", all_of))) for all_of in re.split(r"\bor\b", text))
    )


def _parse_comparison(text: str) -> Comparison:
    said = _COMPARISON.fullmatch(text)
    if said is None:
        raise ValueError(
            f"expected comparisons like {FORM} with and or or between them, such as voxels >= 100 and at_border == 0, "
            f"got {text.strip()[:80]!r}"
        )
    is_whole = not set(said[3]) & set(".eE")
    return Comparison(said[1], said[2], int(said[3]) if is_whole else float(said[3]))
