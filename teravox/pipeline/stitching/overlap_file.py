"""The overlaps of a block with its upper neighbours, in a file; and as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from teravox.pipeline.bundle import pack_bundle, read_bundle, read_head
from teravox.pipeline.components.stage_files import file_key, remedy
from teravox.pipeline.label_tables.parquet import ParquetWriter
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.stitching.places import OVERLAPS, TABLES, stitch_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.kernels.stitching.overlap import Overlap
    from teravox.pipeline.bundle import Bundle, Head

    Overlaps = Mapping[int, Overlap]  # by axis

_UNITS = ("low", "high")
COLUMNS = {
    "block": "<u8",  # the lower block, counted x fastest
    "axis": "<i4",  # to its upper neighbour
    "low_id": "<u8",  # of the two labels, in the whole volume
    "high_id": "<u8",
    "low_piece": "<u8",  # which piece of a label, counted in the overlap
    "high_piece": "<u8",
    "shared": "<u8",  # voxels
    "shared_middle": "<u8",  # of these, in the plane where the blocks meet
    "low_voxels": "<u8",  # of the pieces, in the overlap
    "high_voxels": "<u8",
    "low_middle": "<u8",
    "high_middle": "<u8",
}


def overlaps_key(blocks: str, index: int) -> str:
    return file_key(stitch_folder(blocks), OVERLAPS, index)


def table_key(blocks: str, index: int) -> str:
    return f"{stitch_folder(blocks)}/{TABLES}/{index}.parquet"


def pack_overlaps(overlaps: Overlaps) -> bytes:
    """The bytes of the overlaps of a block."""
    arrays: list[tuple[str, NDArray[Any]]] = []
    for axis, overlap in overlaps.items():
        for name, value in overlap._asdict().items():
            columns = value._asdict() if name in _UNITS else {"": value}
            arrays += [(f"{axis}.{name}.{column}", array) for column, array in columns.items()]
    return pack_bundle({}, arrays)


def read_overlaps(segmented: Segmented, index: int) -> Overlaps:
    """The overlaps of a block with its upper neighbours."""
    bundle = read_bundle(segmented.store, overlaps_key(segmented.id, index), remedy("match", "stitch"))
    return {axis: _unpack(bundle, axis) for axis in range(3) if f"{axis}.first." in bundle}


def read_overlaps_head(segmented: Segmented, index: int) -> Head:
    return read_head(segmented.store, overlaps_key(segmented.id, index), remedy("match", "stitch"))


def make_table(segmented: Segmented, index: int, overlaps: Overlaps) -> bytes:
    """A Parquet file of the pairs of a block: a row group for each of its upper neighbours."""
    parts: list[bytes] = []
    writer = ParquetWriter(parts.append, COLUMNS)
    for axis, overlap in overlaps.items():
        writer.add(_columns(segmented, index, axis, overlap))
    writer.close()
    return b"".join(parts)


def _unpack(bundle: Bundle, axis: int) -> Overlap:
    from teravox.kernels.stitching.overlap import Overlap, Units

    low, high = (Units(*(bundle.get(f"{axis}.{side}.{column}") for column in Units._fields)) for side in _UNITS)
    others = {name: bundle.get(f"{axis}.{name}.") for name in Overlap._fields if name not in _UNITS}
    return Overlap(low=low, high=high, **others)


def _columns(segmented: Segmented, index: int, axis: int, overlap: Overlap) -> dict[str, NDArray[Any]]:
    import numpy as np

    upper = segmented.blocks.neighbour(index, axis, 1)
    if upper is None:
        raise ValueError(f"block {index} has no upper neighbour on axis {axis}")
    columns: dict[str, NDArray[Any]] = {
        "block": np.full(len(overlap.first), index, np.uint64),
        "axis": np.full(len(overlap.first), axis, np.int32),
        "shared": overlap.shared,
        "shared_middle": overlap.shared_middle,
    }
    sides = (("low", index, overlap.low, overlap.first), ("high", upper, overlap.high, overlap.second))
    for side, block, units, places in sides:
        columns[f"{side}_id"] = segmented.global_ids(block, units.labels[places])
        columns[f"{side}_piece"] = places
        columns[f"{side}_voxels"] = units.voxels[places]
        columns[f"{side}_middle"] = units.middle[places]
    return columns
