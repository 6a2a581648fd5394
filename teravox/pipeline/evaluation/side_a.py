"""Reduces a range of the pairs by the labels of A: how they are split, and what the side of B has to know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.evaluation.body_table import bodies_at, some_rows, table_of, worst_rows
from teravox.pipeline.evaluation.places import bodies_key, pairs_key
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
from teravox.pipeline.evaluation.sums import Sums
from teravox.pipeline.sorted_rows.key_range import KeyRange

if TYPE_CHECKING:
    from teravox.kernels.evaluation.rows import Rows
    from teravox.pipeline.evaluation.body_table import Columns
    from teravox.pipeline.evaluation.declaration import Evaluation

PAIRS = 6  # columns: key, label of B, label of A, voxels, all voxels of the label of A, and 1 where they count for VI
BODIES = 4  # columns: key, label of B, voxels, those that count for VI


class ReducedA(NamedTuple):
    """What a range of A's labels comes to."""

    sums: Sums
    table: Columns
    pairs: Rows  # for the side of B
    bodies: Rows


def reduce_a(job: Evaluation[Any], plan: Plan, piece: KeyRange) -> ReducedA:
    import numpy as np

    from teravox.kernels.evaluation.exact import sum_all, sum_informations, sum_squares
    from teravox.kernels.evaluation.rows import add_up, label_rows, pair_rows

    room = room_for_rows(job)
    place = f"range {piece.number} of {plan.store.url}/{job.folder}"
    numbers = range(len(plan.grid))
    pairs = gather(
        plan.store,
        (pairs_key(job.folder, number) for number in numbers),
        piece.first,
        piece.last,
        RowSums(2, 4, room, place),
    )
    bodies = gather(
        plan.store,
        (bodies_key(job.folder, number) for number in numbers),
        *whole_labels(piece),
        RowSums(1, 4, room, place),
    )
    labels, sizes = bodies[:, 1], bodies[:, 3 if job.ignore_empty else 2]
    ignored = np.isin(labels, np.array(job.ignore_label, np.uint64))
    is_object = (labels > 0) & ~ignored
    counts = ~ignored & (sizes >= max(1, job.body_threshold))
    places = places_of(bodies, pairs[:, 1])
    of_a, of_b, voxels = pairs[:, 1], pairs[:, 2], pairs[:, 3]
    scored = counts[places]
    if job.ignore_empty:
        scored &= of_b > 0
    begins = begin_within(bodies, piece)
    table = table_of(labels, sizes, places[scored], of_b[scored], voxels[scored])
    whole = lie_within(bodies, piece)[places_of(bodies, table["label"])]
    kept, shared = some_rows(table, whole), some_rows(table, ~whole)
    found = {
        "voxels": sum_all(voxels),
        "scored": sum_all(voxels[scored]),
        "empty": sum_all(voxels[scored & (of_b == 0)]),
        "both": sum_all(voxels[(of_a > 0) & (of_b > 0)]),
        "only_a": sum_all(voxels[(of_a > 0) & (of_b == 0)]),
        "only_b": sum_all(voxels[(of_a == 0) & (of_b > 0)]),
        "split": sum_informations(voxels[scored], sizes[places[scored]]),
        "pairs": int(scored.sum()),
        "pair_squares": sum_squares(voxels[scored]),
        "squares_a": sum_squares(sizes[begins & counts]),
        "bodies_a": int((begins & counts).sum()),
        "objects_a": int((begins & is_object).sum()),
    }
    worst = bodies_at(kept, worst_rows(kept, job.worst))
    sums = Sums(counts=found, worst=worst, shared=bodies_at(shared, range(len(shared["label"]))))
    handed = pair_rows(of_b, of_a, voxels, bodies[places, 2], scored.astype(np.uint64))
    ends = add_up(label_rows(of_b, voxels, np.where(scored, voxels, np.uint64(0))), 1)
    return ReducedA(sums, kept, add_up(handed, 2), ends)
