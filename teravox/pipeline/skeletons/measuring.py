"""Measures the skeletons of a layer, as the columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from teravox.pipeline.skeletons.skeleton_info import RADIUS

if TYPE_CHECKING:
    from teravox.kernels.skeleton.measures import Measures
    from teravox.pipeline.label_tables.parquet import Columns
    from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

COLUMNS = {
    "label": "<u8",
    **dict.fromkeys(("vertices", "edges", "components", "loops", "terminals", "branch_points"), "<u8"),
    **dict.fromkeys(("cable_length_nm", "mean_radius_nm", "min_radius_nm", "max_radius_nm"), "<f8"),
}
TOGETHER = 1 << 16  # rows


def measure_all(
    source: SkeletonSource, labels: Iterable[int] | None, progress: Callable[[int], None]
) -> Iterator[Columns]:
    """The rows of these labels, or of all, some at a time."""
    import numpy as np

    rows = _rows(source, labels, progress)
    while some := list(islice(rows, TOGETHER)):
        columns = zip(*((label, *measures) for label, measures in some), strict=True)
        yield {name: np.array(one, COLUMNS[name]) for name, one in zip(COLUMNS, columns, strict=True)}


def _rows(
    source: SkeletonSource, labels: Iterable[int] | None, progress: Callable[[int], None]
) -> Iterator[tuple[int, Measures]]:
    from teravox.kernels.skeleton.measures import measure

    for label, skeleton in source.each(labels):
        yield label, measure(skeleton.vertices, skeleton.edges, skeleton.attributes.get(RADIUS.id))
        progress(1)
