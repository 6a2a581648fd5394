"""Points as they lie in files: those of a cell, and a shard in which each is found by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.layers.sharding.build import index_minishards, index_shard
from teravox.pipeline.layers.sharding.spec import ShardSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points = NDArray[Any]  # records: a place, and numbers of four bytes each
    Ids = NDArray[np.uint64]

MINISHARD_BITS, PART_BITS = 10, 22  # of an id; what is above them is the number of its part


def number_points(part: int, points: int) -> Ids:
    """The ids of the points of a part, such that they spread over the minishards of its shard."""
    import numpy as np

    rank = np.arange(points, dtype=np.uint64)
    low = (rank & np.uint64((1 << MINISHARD_BITS) - 1)) << np.uint64(PART_BITS)
    return np.uint64(part << (MINISHARD_BITS + PART_BITS)) | low | (rank >> np.uint64(MINISHARD_BITS))


def sharding_of(parts: int) -> ShardSpec:
    """How ids are spread: each part has a shard of its own, so that whoever has a part writes it alone."""
    return ShardSpec(
        preshift_bits=PART_BITS,
        hash="identity",
        minishard_bits=MINISHARD_BITS,
        shard_bits=max(1, (parts - 1).bit_length()),
        minishard_index_encoding="gzip",
    )


def pack_cell(points: Points, ids: Ids) -> bytes:
    """The file of a cell."""
    import numpy as np

    return np.array(len(ids), "<u8").tobytes() + points.tobytes() + ids.astype("<u8").tobytes()


def pack_shard(points: Points, ids: Ids, spec: ShardSpec) -> bytes:
    """The shard of a part."""
    import numpy as np

    _, minishards = spec.places(ids)
    order = np.lexsort((ids, minishards))
    sizes = np.full(len(ids), points.dtype.itemsize, np.uint64)
    indices = index_minishards(ids[order], minishards[order], np.zeros_like(sizes), sizes, spec)
    data = points[order].tobytes()
    return b"".join([index_shard(indices, len(data), spec), data, *(index for _, index in indices)])
