"""Reduces a range of the pairs by the labels of B: what they merge, and which objects they match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.evaluation.body_table import bodies_at, some_rows, table_of, worst_rows
from teravox.pipeline.evaluation.places import reduced_keys
from teravox.pipeline.evaluation.plan import Plan
from teravox.pipeline.evaluation.reducing import (
    begin_within,
    gather,
    lie_within,
    places_of,
    room_for_rows,
    whole_labels,
)
from teravox.pipeline.evaluation.row_sums import RowSums
from teravox.pipeline.evaluation.side_a import BODIES, PAIRS
from teravox.pipeline.evaluation.sums import Sums
from teravox.pipeline.sorted_rows.key_range import KeyRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.evaluation.body_table import Columns
    from teravox.pipeline.evaluation.declaration import Evaluation

    Counts = NDArray[np.uint64]

THRESHOLDS = tuple(range(50, 100, 5))  # hundredths of intersection over union, above which objects match


class ReducedB(NamedTuple):
    """What a range of B's labels comes to."""

    sums: Sums
    table: Columns


def reduce_b(job: Evaluation[Any], plan: Plan, before: Sequence[KeyRange], piece: KeyRange) -> ReducedB:
    """Reduce a range, after all ranges of A's side."""
    import numpy as np

    from teravox.kernels.evaluation.exact import sum_informations, sum_squares

    room = room_for_rows(job)
    place = f"range {piece.number} of {plan.store.url}/{job.folder}"
    keys = [reduced_keys(job.folder, "a", one) for one in before]
    pairs = gather(plan.store, (key["pairs"] for key in keys), piece.first, piece.last, RowSums(2, PAIRS, room, place))
    bodies = gather(plan.store, (key["bodies"] for key in keys), *whole_labels(piece), RowSums(1, BODIES, room, place))
    labels, sizes = bodies[:, 1], bodies[:, 3]
    of_b, of_a, voxels, scored = pairs[:, 1], pairs[:, 2], pairs[:, 3], pairs[:, 5] > 0
    places = places_of(bodies, of_b)
    begins = begin_within(bodies, piece)
    table = table_of(labels, sizes, places[scored], of_a[scored], voxels[scored])
    whole = lie_within(bodies, piece)[places_of(bodies, table["label"])]
    kept, shared = some_rows(table, whole), some_rows(table, ~whole)
    objects = (of_b > 0) & (of_a > 0) & ~np.isin(of_a, np.array(job.ignore_label, np.uint64))
    found = {
        "merge": sum_informations(voxels[scored], sizes[places[scored]]),
        "squares_b": sum_squares(sizes[begins]),
        "bodies_b": int((begins & (sizes > 0)).sum()),
        "objects_b": int((begins & (labels > 0)).sum()),
        **_matches(voxels[objects], pairs[objects, 4], bodies[places[objects], 2]),
    }
    worst = bodies_at(kept, worst_rows(kept, job.worst))
    return ReducedB(Sums(counts=found, worst=worst, shared=bodies_at(shared, range(len(shared["label"])))), kept)


def _matches(shared: Counts, of_a: Counts, of_b: Counts) -> dict[str, int]:
    """How many objects match at each threshold; above one half each has at most one match."""
    import numpy as np

    from teravox.kernels.evaluation.exact import UNIT, sum_all

    union = of_a + of_b - shared
    found = {
        f"matched_{least}": int((shared * np.uint64(100) > union * np.uint64(least)).sum()) for least in THRESHOLDS
    }
    good = shared * np.uint64(100) > union * np.uint64(THRESHOLDS[0])
    return found | {"overlap": sum_all(np.rint(shared[good] / union[good] * UNIT).astype(np.int64))}
