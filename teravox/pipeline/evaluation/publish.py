"""Makes the report when all ranges are reduced, with the tables and the heat map beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from teravox.pipeline.evaluation.body_table import columns_of, encode_table
from teravox.pipeline.evaluation.classes import Classes, classes_of, confusion_table, read_pairs
from teravox.pipeline.evaluation.figures import Foreground, foreground_of, objects_of, rand_of, vi_of
from teravox.pipeline.evaluation.heat_map import draw_heat_map
from teravox.pipeline.evaluation.json_files import get_json, put_json
from teravox.pipeline.evaluation.places import REPORT, SIDES, reduced_keys, regions_key, shared_key, tables_folder
from teravox.pipeline.evaluation.plan import Plan, make_plan
from teravox.pipeline.evaluation.probabilities import draw_curve, least_foreground, value_of
from teravox.pipeline.evaluation.region_scores import RegionScore
from teravox.pipeline.evaluation.remedy import REMEDY
from teravox.pipeline.evaluation.report import HeatMap, Labels, Probability, Report, Worst
from teravox.pipeline.evaluation.stages import read_ranges
from teravox.pipeline.evaluation.sums import Body, Sums, add_sums
from teravox.pipeline.sorted_rows.file import RowsFile, open_all
from teravox.pipeline.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from teravox.pipeline.evaluation.declaration import Evaluation

WORST_REGIONS = 20


def publish(job: Evaluation[Any]) -> None:
    """Write the report of what was reduced; safe to repeat."""
    plan = make_plan(job, fresh=True)
    a, b = (_sums(job, plan, side) for side in SIDES)
    heat_map = None if job.heat_map is None else _heat_map(job, plan)
    probability, foreground = None, _foreground(a)
    if job.probabilities:
        probability, foreground = _curve(job, plan)
    options = job.told
    for name in ("a", "b", "shape", "memory_limit"):  # said already, or without effect on what is found
        options.pop(name)
    report = Report(
        a=plan.a.url,
        b=plan.b.url,
        mip_a=plan.mip_a,
        mip_b=plan.mip_b,
        resolution=plan.a.scale(plan.mip_a).resolution,
        bounds=plan.bounds,
        options=options,
        voxels=a.counts["voxels"],
        foreground=foreground,
        labels=None if job.probabilities else _labels(a, b),
        objects=None if job.probabilities else objects_of(a, b),
        classes=_classes(job, plan) if job.classes else None,
        probability=probability,
        heat_map=heat_map,
    )
    if report.labels is not None:
        _put_worst(plan, "split", report.labels.worst_split)
        _put_worst(plan, "merge", report.labels.worst_merge)
    put_json(plan.store, REPORT, report)


def _sums(job: Evaluation[Any], plan: Plan, side: str) -> Sums:
    """The sums of a side; its table gets the labels that lie in several ranges, and loses what is of other plans."""
    ranges = read_ranges(job, side)
    keys = [reduced_keys(job.folder, side, piece) for piece in ranges]
    sums = add_sums((get_json(plan.store, key["sums"], Sums) for key in keys), job.worst)
    used = {key["table"] for key in keys}
    if sums.shared:
        used.add(shared_key(side, ranges[0]))
        plan.store.put(shared_key(side, ranges[0]), encode_table(columns_of(sums.shared)))
    plan.store.delete([key for key in plan.store.list(f"{tables_folder(side)}/") if key not in used])
    return sums


def _foreground(a: Sums) -> Foreground:
    both, only_a, only_b = (a.counts[name] for name in ("both", "only_a", "only_b"))
    return foreground_of(both, only_a, only_b, a.counts["voxels"] - both - only_a - only_b)


def _labels(a: Sums, b: Sums) -> Labels:
    voxels = a.counts["scored"]
    return Labels(
        voxels=voxels,
        empty=a.counts["empty"],
        in_a=a.counts["bodies_a"],
        in_b=b.counts["bodies_b"],
        pairs=a.counts["pairs"],
        vi=vi_of(a, b),
        rand=rand_of(a, b),
        worst_split=[_worst(body, voxels) for body in a.worst],
        worst_merge=[_worst(body, voxels) for body in b.worst],
    )


def _worst(body: Body, voxels: int) -> Worst:
    from teravox.kernels.evaluation.exact import UNIT

    return Worst(
        label=body.label,
        voxels=body.voxels,
        vi=body.information / (UNIT * voxels),
        bits=body.information / (UNIT * body.voxels),
        parts=body.parts,
        largest=body.largest,
        overlap=body.overlap,
    )


def _put_worst(plan: Plan, which: str, worst: list[Worst]) -> None:
    lines = [",".join(Worst.__struct_fields__)]
    lines += [",".join(repr(getattr(one, name)) for name in Worst.__struct_fields__) for one in worst]
    plan.store.put(f"worst_{which}.csv", ("\n".join(lines) + "\n").encode(), content_type="text/csv")


def _heat_map(job: Evaluation[Any], plan: Plan) -> HeatMap:
    assert job.heat_map is not None  # who calls it has looked
    numbers = range(len(plan.grid))
    scores = [
        score
        for some in side_by_side(
            lambda number: get_json(plan.store, regions_key(job.folder, number), list[RegionScore]), numbers
        )
        for score in some
    ]
    draw_heat_map(job, plan, scores)
    seen = sorted((score for score in scores if score.voxels), key=lambda score: (-score.total, score.box.min))
    return HeatMap(
        region=job.heat_map,
        regions=len(seen),
        mean=sum(sorted(score.total for score in seen)) / len(seen) if seen else None,
        best=seen[-1] if seen else None,
        worst=seen[:WORST_REGIONS],
    )


def _classes(job: Evaluation[Any], plan: Plan) -> Classes:
    pairs = read_pairs(list(_pairs(job, plan)))
    plan.store.put("confusion.csv", confusion_table(pairs), content_type="text/csv")
    return classes_of(pairs)


def _pairs(job: Evaluation[Any], plan: Plan) -> Iterator[RowsFile]:
    """The files with the pairs of the whole."""
    keys = [reduced_keys(job.folder, "a", piece)["pairs"] for piece in read_ranges(job, "a")]
    return open_all(plan.store, keys, REMEDY)


def _curve(job: Evaluation[Any], plan: Plan) -> tuple[Probability, Foreground]:
    import numpy as np

    data_type = plan.b.info.data_type
    counted = np.zeros((2, 1 << 8 if data_type == "uint8" else 1 << 16), np.int64)
    for file in _pairs(job, plan):
        rows = file.read(0, 2**64 - 1)
        counted[rows[:, 2], rows[:, 1]] += rows[:, 3].astype(np.int64)
    least = least_foreground(job.threshold, data_type)
    (neither, only_b), (only_a, both) = ((int(one[:least].sum()), int(one[least:].sum())) for one in counted)
    curve = draw_curve(counted[0], counted[1], data_type)
    return Probability(threshold=value_of(least, data_type), curve=curve), foreground_of(both, only_a, only_b, neither)
