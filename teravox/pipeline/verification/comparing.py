"""Makes a place of a mip anew, and compares it with what is stored there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.verification.examining import Answer, ComparePlace, Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type

LOSSY = frozenset({"jpeg", "jxl", "fpzip", "kempressed", "zfpc"})
MOST_STRANGE = 0.25  # of the voxels of a place whose making is not known: other people's methods may be none of ours
UNREADABLE = Answer(note="places whose chunks are not there or cannot be read")


def compare(layer: Layer, place: ComparePlace) -> Answer:
    """Whether a place of a mip is what is made of the mip below it.

    Without loss it must be the same, fractions up to their rounding. In an encoding that loses something, the mean
    difference may be twice what encoding the place anew loses, and one step of grey more.
    """
    try:
        stored = layer.read(place.box, place.mip)
        if place.recipe is None:
            return _compare_loosely(layer, place, stored)
        below = layer.read(
            box_below(layer, place.mip, place.recipe, place.box),
            place.recipe.base,
            fill_missing=place.recipe.fill_missing,
        )
    except BadInput:
        return UNREADABLE
    return _compare_exactly(layer.scale(place.mip), place.recipe, stored, below)


def box_below(layer: Layer, mip: int, recipe: Recipe, box: Box) -> Box:
    """What a box of a mip was made of; cells are counted from the lower corners of the bounds."""
    x, y, z = (f**recipe.step for f in recipe.factor)
    return _below(layer.bounds(recipe.base), layer.bounds(mip), box, (x, y, z))


def factor_between(layer: Layer, mip: int) -> Vec | None:
    """How many voxels of the mip below one of a mip has, by the resolutions; None where that is no whole number or begins elsewhere."""
    fine, coarse = layer.scale(mip - 1), layer.scale(mip)
    ratios = [large / small for large, small in zip(coarse.resolution, fine.resolution, strict=True)]
    x, y, z = (max(1, round(ratio)) for ratio in ratios)
    for ratio, cell, low, high in zip(ratios, (x, y, z), fine.voxel_offset, coarse.voxel_offset, strict=True):
        if not math.isclose(ratio, cell, rel_tol=1e-6) or high * cell != low:
            return None
    return (x, y, z)


def _below(below: Box, above: Box, box: Box, cell: Vec) -> Box:
    low, high = (
        tuple(b + (n - a) * c for n, a, b, c in zip(corner, above.min, below.min, cell, strict=True))
        for corner in (box.min, box.max)
    )
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).intersect(below)


def _compare_exactly(scale: Scale, recipe: Recipe, stored: Array, below: Array) -> Answer:
    import numpy as np

    from teravox.kernels.downsample import downsample

    made = downsample(below, recipe.factor, recipe.step, recipe.method, sparse=recipe.sparse)[-1]
    if made.shape != stored.shape:
        return Answer("wrong", f"what is made of mip {recipe.base} there has the shape {made.shape[:3]}")
    if scale.encoding in LOSSY or not recipe.is_exact:
        difference = _mean_difference(stored, made)
        allowed = 2 * _loss(scale, made) + _step(made)
        if difference <= allowed or (not recipe.is_exact and difference <= 3 * allowed):
            return Answer()
        return Answer(
            "wrong",
            f"it differs by {difference:.3g} from what is made of mip {recipe.base}, where {allowed:.3g} may be lost",
        )
    if made.dtype.kind == "f":
        close = np.isclose(stored, made, rtol=1e-5, atol=_step(made), equal_nan=True)
    else:
        close = stored == made
    if close.all():
        return Answer()
    share = 1 - float(close.mean())
    return Answer("wrong", f"{share:.1%} of a place in it are not what is made of mip {recipe.base} ({recipe.method})")


def _compare_loosely(layer: Layer, place: ComparePlace, stored: Array) -> Answer:
    """Labels must come from their cells, and greys lie between the darkest and the brightest of theirs."""
    import numpy as np

    from teravox.kernels.downsample import downsample

    factor = factor_between(layer, place.mip)
    if factor is None:
        return Answer(note=f"mip {place.mip} against mip {place.mip - 1}, whose voxels do not fit into its own")
    box = _below(layer.bounds(place.mip - 1), layer.bounds(place.mip), place.box, factor)
    below = layer.read(box, place.mip - 1)
    if tuple(-(-n // f) for n, f in zip(below.shape, factor, strict=False)) != stored.shape[:3]:
        return Answer(note=f"mip {place.mip} against mip {place.mip - 1}, which are of other sizes")
    scale = layer.scale(place.mip)
    if layer.info.type == "segmentation":
        is_strange = ~_is_in_cell(stored, below, factor)
    else:
        (least,), (most,) = (downsample(below, factor, 1, way) for way in ("min", "max"))
        room = (3 * _loss(scale, stored) if scale.encoding in LOSSY else 0.0) + max(_step(stored), 1.0)
        values = stored.astype(np.float64)
        is_strange = (values < least.astype(np.float64) - room) | (values > most.astype(np.float64) + room)
    share = float(is_strange.mean())
    if share <= MOST_STRANGE:
        return Answer()
    return Answer("wrong", f"{share:.0%} of a place in it cannot have been made of mip {place.mip - 1}")


def _is_in_cell(stored: Array, below: Array, factor: Vec) -> Array:
    import numpy as np

    found = np.zeros(stored.shape, bool)
    for x in range(factor[0]):
        for y in range(factor[1]):
            for z in range(factor[2]):
                part = below[x :: factor[0], y :: factor[1], z :: factor[2]]
                inside = tuple(slice(0, n) for n in part.shape)
                found[inside] |= stored[inside] == part
    return found


def _loss(scale: Scale, voxels: Array) -> float:
    """What encoding these voxels loses, on average."""
    import numpy as np

    from teravox.pipeline.layers.codec import decode, encode

    if scale.encoding not in LOSSY:
        return 0.0
    whole = np.asfortranarray(voxels)
    x, y, z, channels = whole.shape
    return _mean_difference(decode(encode(whole, scale), scale, (x, y, z, channels), whole.dtype), whole)


def _mean_difference(a: Array, b: Array) -> float:
    import numpy as np

    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).mean())


def _step(voxels: Array) -> float:
    """One step of grey; of fractions, a millionth of the largest."""
    import numpy as np

    return float(np.abs(voxels).max(initial=0)) * 1e-6 if voxels.dtype.kind == "f" else 1.0
