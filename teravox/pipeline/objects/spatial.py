"""The spatial index of meshes or skeletons: for each piece of the forge a file that says which labels lie in it, and in what boxes.

It has the form that CloudVolume and Igneous read: JSON of a label and the corners of its box in nanometres, under a name
that is the piece's own box in nanometres.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.info import Json
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.forged import Forged, read_forged
from teravox.pipeline.objects.fragments import FragmentFile
from teravox.pipeline.objects.sort import Sort

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROW = 1500  # bytes of a label while its line is written
WORD = "spatial_index"  # in the info of the objects


def forged_whole(layer: Layer, sort: Sort, dir: str) -> Forged:
    """The forge whose pieces are indexed; BadUsage if it is not of the whole layer, which is what readers expect."""
    forged = read_forged(layer, sort, dir)
    whole = layer.bounds(forged.mip)
    if forged.bounds != whole:
        raise BadUsage(
            f"{layer.url} was forged in {forged.bounds}, and a spatial index is of all of it, which is {whole}"
        )
    return forged


def spatial_name(forged: Forged, piece: Box) -> str:
    """The name of a piece's file, in the folder of the objects."""
    return name_of(piece, forged.resolution)


def name_of(piece: Box, resolution: tuple[float, float, float]) -> str:
    """The name of the file about a box of voxels of some size."""
    digits = max(-int(_exact(nm).as_tuple().exponent) for nm in resolution)
    low, high = (
        [f"{_exact(nm) * n:.{max(0, digits)}f}" for nm, n in zip(resolution, corner, strict=True)]
        for corner in (piece.min, piece.max)
    )
    return "_".join(f"{a}-{b}" for a, b in zip(low, high, strict=True)) + ".spatial"


def open_fragments(layer: Layer, sort: Sort, forged: Forged, piece: Box) -> FragmentFile:
    """The head of a piece's fragments."""
    return FragmentFile.open(layer.store, forged.key(piece), sort)


def label_boxes(layer: Layer, sort: Sort, forged: Forged, piece: Box) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """The labels of a piece, sorted, and the corners of the box around the vertices of each, in nanometres."""
    import numpy as np

    rows = np.sort(open_fragments(layer, sort, forged, piece).rows(), order="label")
    corners = np.concatenate([rows["low"], rows["high"]], axis=1).astype(np.float64)
    voxels = (corners + sort.steps / 2) / sort.steps  # the center of a voxel is half a voxel from where it begins
    return rows["label"], voxels * np.array(forged.resolution * 2)


def encode_spatial(labels: NDArray[np.uint64], corners: NDArray[np.float64]) -> bytes:
    """The file of a piece."""
    boxes = ([int(n) if n.is_integer() else n for n in box] for box in corners.tolist())
    return msgspec.json.encode(dict(zip(map(str, labels.tolist()), boxes, strict=True)))


def say_index(forged: Forged) -> Json:
    """What the info of the objects says of their index."""
    chunk = [float(_exact(nm) * n) for nm, n in zip(forged.resolution, forged.shape, strict=True)]
    is_whole = all(
        float(nm).is_integer() for nm in forged.resolution
    )  # readers cut off fractions where sizes have none
    number = int if is_whole else float
    return {"resolution": list(map(number, forged.resolution)), "chunk_size": list(map(number, chunk))}


def pieces_with_labels(
    layer: Layer, sort: Sort, forged: Forged
) -> Iterator[tuple[str, NDArray[np.uint64], NDArray[np.float64]]]:
    """Each piece's file name, with its labels and their boxes."""
    for piece in forged.grid:
        yield spatial_name(forged, piece), *label_boxes(layer, sort, forged, piece)


def _exact(nm: float) -> Decimal:
    number = Decimal(repr(float(nm)))
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number
