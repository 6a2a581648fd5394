"""A map of where a segmentation is bad: a layer with one voxel for each region, pictures, and a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.evaluation.plan import Plan
from teravox.pipeline.evaluation.region_scores import RegionScore
from teravox.pipeline.layers.codecs.png import encode_png
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.evaluation.declaration import Evaluation

    Values = NDArray[np.float32]

FOLDER = "heat_map"
WHAT = ("total", "split", "merge")  # a layer and a picture each
CHUNK = 64
WIDE = 1200  # pixels that a picture may have in each direction, where a region has more than one
LARGEST = 24  # pixels of a region


def create_heat_map(job: Evaluation[Any], plan: Plan) -> None:
    """Write the infos of the layers, or find that they are there."""
    for what in WHAT:
        create_layer(_url(plan, what), _info(job, plan))


def draw_heat_map(job: Evaluation[Any], plan: Plan, scores: Sequence[RegionScore]) -> None:
    """Write the voxels, the pictures and the table of all regions."""
    import numpy as np

    cells = _cells(job, plan)
    seen = np.zeros(cells.size, np.bool_, order="F")
    for score in scores:
        seen[_place(score, cells)] = score.voxels > 0
    for what in WHAT:
        values: Values = np.zeros(cells.size, np.float32, order="F")
        for score in scores:
            values[_place(score, cells)] = getattr(score, what)
        layer = Layer.open(_url(plan, what), fresh=True)
        layer.write(cells, 0, values[..., np.newaxis])
        plan.store.put(f"{FOLDER}/{what}.png", _picture(values, seen), content_type="image/png")
    plan.store.put("regions.csv", _table(scores), content_type="text/csv")


def _info(job: Evaluation[Any], plan: Plan) -> dict[str, Any]:  # JSON may hold anything
    assert job.heat_map is not None  # who calls it has looked
    cells = _cells(job, plan)
    x, y, z = (n * r for n, r in zip(plan.a.scale(plan.mip_a).resolution, job.heat_map, strict=True))
    chunk = min(CHUNK, cells.size[0]), min(CHUNK, cells.size[1]), min(CHUNK, cells.size[2])
    scale = new_scale(bounds=cells, resolution=(x, y, z), chunk=chunk, encoding=encoding_words("raw"))
    return new_info(type="image", data_type="float32", channels=1, scales=[scale])


def _cells(job: Evaluation[Any], plan: Plan) -> Box:
    """The regions as voxels, which lie where the regions do."""
    assert job.heat_map is not None  # who calls it has looked
    low = tuple(n // r for n, r in zip(plan.bounds.min, job.heat_map, strict=True))
    high = tuple(-(-n // r) for n, r in zip(plan.bounds.max, job.heat_map, strict=True))
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _place(score: RegionScore, cells: Box) -> Vec:
    x, y, z = (n - start for n, start in zip(score.cell, cells.min, strict=True))
    return (x, y, z)


def _url(plan: Plan, what: str) -> str:
    return f"{plan.store.url}/{FOLDER}/{what}"


def _picture(values: Values, seen: NDArray[np.bool_]) -> bytes:
    """All slices side by side, row by row from the lowest one: black is 0, white the largest value, grey nothing."""
    import numpy as np

    from teravox.kernels.evaluation.colours import paint

    colours = paint(values, seen)
    nx, ny, nz = values.shape
    across = max(1, min(nz, round(math.sqrt(nz * (ny + 1) / (nx + 1)))))
    down = -(-nz // across)
    size = max(1, min(LARGEST, WIDE // (across * (nx + 1)), WIDE // (down * (ny + 1))))
    gap = 1 if nz > 1 else 0
    wide, high = nx * size + gap, ny * size + gap
    picture = np.full((across * wide, down * high, 1, 3), 255, np.uint8)
    for z in range(nz):
        left, top = z % across * wide, z // across * high
        large = colours[:, :, z].repeat(size, 0).repeat(size, 1)
        picture[left : left + nx * size, top : top + ny * size, 0] = large
    return encode_png(picture, None)


def _table(scores: Sequence[RegionScore]) -> bytes:
    lines = ["min_x,min_y,min_z,max_x,max_y,max_z,voxels,split,merge,vi"]
    for score in sorted(scores, key=lambda score: score.box.min[::-1]):
        numbers = (*score.box.min, *score.box.max, score.voxels, score.split, score.merge, score.total)
        lines.append(",".join(map(repr, numbers)))
    return ("\n".join(lines) + "\n").encode()
