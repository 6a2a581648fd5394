"""Centres compared with true ones, slice by slice: discs around them pixel by pixel, and which of them are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.bundle import Bundle, read_bundle
from teravox.pipeline.centres.comparison_plan import REMEDY, ComparisonPlan, folder_of, points_key, read_plan
from teravox.pipeline.centres.declaration import Comparing, Slices
from teravox.pipeline.centres.report import REPORT, TABLE, CentreReport, Paired, SliceCounts
from teravox.pipeline.errors import BadInput
from teravox.pipeline.evaluation.figures import foreground_of, ratio
from teravox.pipeline.evaluation.json_files import get_json, put_json
from teravox.pipeline.storage.open import open_store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points = NDArray[np.float64]


def counts_key(folder: str, piece: Slices) -> str:
    return f"{folder}/counts/{piece.number:06d}.json"


def comparing_bytes(piece: Slices) -> int:
    """The bytes that comparing a piece needs at most."""
    from teravox.kernels.evaluation.points import MATCHING, PAINTING

    return LIBRARIES + MATCHING + PAINTING + 200 * piece.centres


def compare_piece(job: Comparing, piece: Slices) -> list[SliceCounts]:
    """Compare the slices of a piece that have true centres."""
    import numpy as np

    plan = read_plan(job)
    bundle = read_bundle(open_store(job.dest), points_key(folder_of(job), piece.number), REMEDY)
    in_truth, in_found = bundle.get("truth slices"), bundle.get("found slices")
    truth, found = _points(bundle, "truth"), _points(bundle, "found")
    return [
        _compare(job, plan, at, truth[in_truth == at], found[in_found == at]) for at in np.unique(in_truth).tolist()
    ]


def publish(job: Comparing) -> None:
    """Write the report, and the table of slices."""
    store, folder = open_store(job.dest), folder_of(job)
    plan = read_plan(job)
    slices = [
        one for piece in plan.pieces for one in get_json(store, counts_key(folder, piece), list[SliceCounts], REMEDY)
    ]
    put_json(store, REPORT, _report(job, plan, slices))
    names = SliceCounts.__struct_fields__
    lines = [",".join(names), *(",".join(repr(getattr(one, name)) for name in names) for one in slices)]
    store.put(TABLE, ("\n".join(lines) + "\n").encode())


def _points(bundle: Bundle, name: str) -> Points:
    import numpy as np

    return np.stack([bundle.get(f"{name} rows"), bundle.get(f"{name} columns")], axis=1)


def _compare(job: Comparing, plan: ComparisonPlan, at: int, truth: Points, found: Points) -> SliceCounts:
    import numpy as np

    from teravox.kernels.evaluation.points import TooManyPairs, count_discs, match

    sides = np.array(plan.sides)
    try:
        pairs = match(truth * sides, found * sides, job.reach)
    except TooManyPairs as error:
        raise BadInput(
            f"--within: {job.reach:g} pixels are too much to compare centres of slice {at}: {error}"
        ) from None
    both, only_truth, only_found = count_discs(truth, found, job.diameter / 2, plan.sides, plan.size)
    return SliceCounts(
        slice=at,
        truth=len(truth),
        found=len(found),
        matched=len(pairs.distances),
        distances=float(pairs.distances.sum()),
        farthest=float(pairs.distances.max(initial=0)),
        both=both,
        only_truth=only_truth,
        only_found=only_found,
    )


def _report(job: Comparing, plan: ComparisonPlan, slices: list[SliceCounts]) -> CentreReport:
    def total(name: str) -> int:
        return sum(getattr(one, name) for one in slices)

    matched, both, only_truth, only_found = map(total, ("matched", "both", "only_truth", "only_found"))
    pixels = len(slices) * plan.size[0] * plan.size[1]
    return CentreReport(
        truth=plan.truth,
        found=plan.found,
        bounds=plan.bounds,
        axis=job.axis,
        diameter=job.diameter,
        within=job.reach,
        slices=len(slices),
        centres=Paired(
            in_truth=total("truth"),
            in_found=total("found"),
            matched=matched,
            precision=ratio(matched, total("found")),
            recall=ratio(matched, total("truth")),
            f1=ratio(2 * matched, total("truth") + total("found")),
            mean_distance=sum(one.distances for one in slices) / matched if matched else None,
            farthest=max(one.farthest for one in slices) if matched else None,
        ),
        discs=foreground_of(both, only_truth, only_found, pixels - both - only_truth - only_found),
    )
