"""Counts, in one piece, which labels of A and B lie on the same voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadInput
from teravox.pipeline.evaluation.counting_memory import room_for_pairs
from teravox.pipeline.evaluation.flat_pairs import count_arrays
from teravox.pipeline.evaluation.plan import Plan
from teravox.pipeline.evaluation.probabilities import in_bins
from teravox.pipeline.evaluation.region_scores import RegionScore, score_region
from teravox.pipeline.layers.layer import within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.evaluation.rows import Rows
    from teravox.pipeline.evaluation.declaration import Evaluation

    Array = NDArray[Any]  # of labels, or of whether they are foreground
    Mask = NDArray[np.bool_]


class Found(NamedTuple):
    """What one piece has."""

    pairs: Rows  # key, label of A, label of B, voxels
    bodies: Rows  # key, label of A, voxels, those of them where B is not 0
    regions: list[RegionScore]


def count_piece(job: Evaluation[Any], plan: Plan, piece: Box) -> Found:
    """Compare a piece."""
    box = plan.compared(piece)
    a, b, chosen = _read(job, plan, box)
    most = room_for_pairs(job, plan, box)
    pairs = count_arrays(a, b, chosen, most, f"{box} of {plan.a.url} and {plan.b.url}")
    regions = [] if job.heat_map is None else _score_regions(job, box, piece, a, b, chosen, most)
    return Found(pairs, bodies_of(pairs), regions)


def bodies_of(pairs: Rows) -> Rows:
    """The rows of A's labels, of those of all their pairs."""
    import numpy as np

    from teravox.kernels.evaluation.rows import add_up, label_rows

    voxels = pairs[:, 3]
    return add_up(label_rows(pairs[:, 1], voxels, np.where(pairs[:, 2] > 0, voxels, np.uint64(0))), 1)


def _read(job: Evaluation[Any], plan: Plan, box: Box) -> tuple[Array, Array, Mask | None]:
    """Both layers within a box, without signs, and which voxels are chosen; None chooses all."""
    import numpy as np

    from teravox.kernels.evaluation.borders import near_borders

    wide = plan.around(box, job.boundary)
    a = plan.a.read(wide, plan.mip_a, fill_missing=job.fill_missing)[..., 0]
    chosen: Mask | None = None
    if any(job.boundary):
        chosen = np.asfortranarray(~near_borders(a, job.boundary)[within(box, wide)])
        a = np.asfortranarray(a[within(box, wide)])
    if plan.mask is not None:
        mask = plan.mask.read(box, fill_missing=job.fill_missing)
        chosen = mask if chosen is None else chosen & mask
    b = plan.b.read(box, plan.mip_b, fill_missing=job.fill_missing)
    if job.probabilities:
        return (a != 0).view(np.uint8), in_bins(b[..., job.channel], f"{box} of {plan.b.place(plan.mip_b)}"), chosen
    return (
        _unsigned(a, f"A: {box} of {plan.a.place(plan.mip_a)}"),
        _unsigned(b[..., 0], f"B: {box} of {plan.b.place(plan.mip_b)}"),
        chosen,
    )


def _unsigned(labels: Array, place: str) -> Array:
    if labels.dtype.kind == "i" and labels.min() < 0:
        raise BadInput(f"{place} has labels below 0, and labels are counted from 0 up")
    return labels.view(f"u{labels.itemsize}")


def _score_regions(
    job: Evaluation[Any], box: Box, piece: Box, a: Array, b: Array, chosen: Mask | None, most: int
) -> list[RegionScore]:
    assert job.heat_map is not None  # who calls it has looked
    scores = []
    for region in Grid(piece, job.heat_map):
        inside = within(region.intersect(box), box)
        some = None if chosen is None else chosen[inside]
        scores.append(score_region(job, region.intersect(box), a[inside], b[inside], some, most))
    return scores
