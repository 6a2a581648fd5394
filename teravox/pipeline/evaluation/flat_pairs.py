"""Counts the pairs of labels of two arrays, slab by slab and side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from teravox.pipeline.evaluation.counting_memory import COUNTERS, SLAB
from teravox.pipeline.evaluation.row_sums import RowSums, too_many
from teravox.pipeline.storage.side_by_side import do_all

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.evaluation.rows import Rows

    Array = NDArray[Any]  # whole numbers without signs
    Mask = NDArray[np.bool_]


def count_arrays(a: Array, b: Array, chosen: Mask | None, most: int, place: str) -> Rows:
    """The pairs of two arrays in Fortran order where voxels are chosen, as rows; BadInput if they are more than `most`."""
    import numpy as np

    from teravox.kernels.evaluation.pairs import count_pairs
    from teravox.kernels.evaluation.rows import pair_rows

    sums = RowSums(2, 4, most, place)
    of_a, of_b = a.reshape(-1, order="F"), b.reshape(-1, order="F")
    choice = None if chosen is None else chosen.reshape(-1, order="F")

    def count(start: int) -> None:
        part = slice(start, start + SLAB)
        first, second = of_a[part], of_b[part]
        if choice is not None:
            first, second = first[choice[part]], second[choice[part]]
        found = count_pairs(first.astype(np.uint64, copy=False), second.astype(np.uint64, copy=False), most)
        if found is None:
            raise too_many(most, place)
        sums.add(pair_rows(*found))

    starts: Iterable[int] = range(0, a.size, SLAB)
    do_all(count, starts, COUNTERS)
    return sums.rows()
