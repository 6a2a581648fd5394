"""What the two sides of a reduction share: what they may hold, and how they read and look up rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.evaluation.remedy import REMEDY
from teravox.pipeline.evaluation.row_sums import RowSums
from teravox.pipeline.sorted_rows.file import open_all
from teravox.pipeline.sorted_rows.key_range import KeyRange
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.store import Store
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.evaluation.rows import Rows
    from teravox.pipeline.evaluation.declaration import Evaluation

    Places = NDArray[np.int64]

REDUCING = 450  # bytes of a pair while its range is reduced, at worst: where each pair has labels of its own
LEAST = 100_000  # pairs that a task must be able to hold


def room_for_rows(job: Evaluation[Any]) -> int:
    """How many pairs, and how many labels, a range may have; BadUsage where that is next to none."""
    room = (job.memory_limit - LIBRARIES) // REDUCING
    if room < LEAST:
        least = LIBRARIES + LEAST * REDUCING
        raise BadUsage(
            f"--memory: {say_bytes(job.memory_limit)} are too little to add up pairs; give it {say_bytes(least)}"
        )
    return room


def gather(store: Store, keys: Iterable[str], first: int, last: int, sums: RowSums) -> Rows:
    """All rows with keys from `first` to `last`, added up."""
    for rows in side_by_side(lambda file: file.read(first, last), open_all(store, keys, REMEDY)):
        sums.add(rows)
    return sums.rows()


def places_of(bodies: Rows, labels: NDArray[np.uint64]) -> Places:
    """The rows of labels that are all there."""
    import numpy as np

    from teravox.kernels.evaluation.rows import spread

    return np.searchsorted(bodies[:, 0], spread(labels))


def whole_labels(piece: KeyRange) -> tuple[int, int]:
    """The keys of all labels whose pairs have a key in a range, of pairs that lie outside of it too."""
    from teravox.kernels.evaluation.rows import OTHERS

    return piece.first & ~OTHERS, piece.last | OTHERS


def begin_within(bodies: Rows, piece: KeyRange) -> NDArray[np.bool_]:
    """Which labels have the first of their keys in a range; each has it in one."""
    first, _ = _ends(bodies)
    return (first >= piece.first) & (first <= piece.last)


def lie_within(bodies: Rows, piece: KeyRange) -> NDArray[np.bool_]:
    """Which labels have all of their keys in a range."""
    first, last = _ends(bodies)
    return (first >= piece.first) & (last <= piece.last)


def _ends(bodies: Rows) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    import numpy as np

    from teravox.kernels.evaluation.rows import OTHERS

    others = np.uint64(OTHERS)
    return bodies[:, 0] & ~others, bodies[:, 0] | others
