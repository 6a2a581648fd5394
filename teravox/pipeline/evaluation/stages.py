"""The steps of a reduction: into which ranges a side is cut, and what becomes of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput
from teravox.pipeline.evaluation.body_table import encode_table
from teravox.pipeline.evaluation.json_files import get_json, put_json
from teravox.pipeline.evaluation.places import pairs_key, plan_key, reduced_keys
from teravox.pipeline.evaluation.plan import make_plan
from teravox.pipeline.evaluation.reducing import room_for_rows
from teravox.pipeline.evaluation.remedy import REMEDY
from teravox.pipeline.evaluation.side_a import reduce_a
from teravox.pipeline.evaluation.side_b import reduce_b
from teravox.pipeline.sorted_rows.file import encode_rows, open_all
from teravox.pipeline.sorted_rows.key_range import KeyRange
from teravox.pipeline.sorted_rows.ranges import plan_ranges
from teravox.pipeline.storage.open import open_store

if TYPE_CHECKING:
    from teravox.pipeline.evaluation.declaration import Evaluation


def plan_side(job: Evaluation[Any], side: str) -> None:
    """Choose the ranges of a side by what is there, and write them down for those who work on them."""
    plan = make_plan(job, fresh=True)
    if side == "a":
        keys = [pairs_key(job.folder, number) for number in range(len(plan.grid))]
    else:
        keys = [reduced_keys(job.folder, "a", piece)["pairs"] for piece in read_ranges(job, "a")]
    planned = plan_ranges(open_all(plan.store, keys, REMEDY), room_for_rows(job))
    put_json(plan.store, plan_key(job.folder, side), planned.ranges)


def read_ranges(job: Evaluation[Any], side: str) -> list[KeyRange]:
    """The ranges that were chosen."""
    return get_json(open_store(job.dest), plan_key(job.folder, side), list[KeyRange])


def reduce_range(job: Evaluation[Any], side: str, piece: KeyRange) -> None:
    """Reduce a range of a side, and write what it comes to. It may run twice, and beside others."""
    plan = make_plan(job, fresh=True)
    if piece not in read_ranges(job, side):
        raise BadInput(f"range {piece.number} belongs to plan {piece.plan}, and {plan.store.url} has a newer one")
    keys = reduced_keys(job.folder, side, piece)
    if side == "a":
        of_a = reduce_a(job, plan, piece)
        plan.store.put(keys["pairs"], encode_rows(of_a.pairs))
        plan.store.put(keys["bodies"], encode_rows(of_a.bodies))
        sums, table = of_a.sums, of_a.table
    else:
        sums, table = reduce_b(job, plan, read_ranges(job, "a"), piece)
    plan.store.put(keys["table"], encode_table(table))
    put_json(plan.store, keys["sums"], sums)
