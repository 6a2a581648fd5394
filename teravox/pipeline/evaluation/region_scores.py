"""How well one region agrees, of what is connected within it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.evaluation.flat_pairs import count_arrays

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.evaluation.declaration import Evaluation

    Array = NDArray[Any]  # labels
    Counts = NDArray[np.uint64]
    Mask = NDArray[np.bool_]


class RegionScore(msgspec.Struct, frozen=True, kw_only=True):
    """The VI of a region; a body that is joined outside of it counts as several."""

    cell: Vec  # its place, in regions from voxel 0
    box: Box
    voxels: int  # that count
    split: float  # bits
    merge: float

    @property
    def total(self) -> float:
        return self.split + self.merge


def score_region(job: Evaluation[Any], box: Box, a: Array, b: Array, chosen: Mask | None, most: int) -> RegionScore:
    """Compare the 6-connected components of both layers within a region."""
    import numpy as np

    from teravox.kernels.components import label as find_components
    from teravox.kernels.evaluation.exact import UNIT, sum_all, sum_informations

    assert job.heat_map is not None  # else there are none
    ignored = [label for label in job.ignore_label if 0 < label < 1 << 8 * a.itemsize]
    if ignored:
        ignored_here = np.isin(a, np.array(ignored, a.dtype))
        if 0 in job.ignore_label:
            a = np.where(ignored_here, np.zeros(1, a.dtype), a)  # what is 0 is left out below
        else:
            chosen = ~ignored_here if chosen is None else chosen & ~ignored_here
    of_a, of_b = (find_components(np.asfortranarray(one), 6)[0] for one in (a, b))
    pairs = count_arrays(of_a, of_b, chosen, most, f"region {box}")
    if 0 in job.ignore_label:
        pairs = pairs[pairs[:, 1] > 0]
    if job.ignore_empty:
        pairs = pairs[pairs[:, 2] > 0]
    voxels = pairs[:, 3]
    split, merge = (sum_informations(voxels, _sizes(pairs[:, column], voxels)) for column in (1, 2))
    total = sum_all(voxels)
    scale = 1 / UNIT / max(total, 1)
    x, y, z = (n // r for n, r in zip(box.min, job.heat_map, strict=True))
    return RegionScore(cell=(x, y, z), box=box, voxels=total, split=split * scale, merge=merge * scale)


def _sizes(labels: Counts, voxels: Counts) -> Counts:
    """The voxels of the label of each pair."""
    import numpy as np

    sizes = np.zeros(int(labels.max(initial=0)) + 1, np.uint64)
    np.add.at(sizes, labels, voxels)
    return sizes[labels]
