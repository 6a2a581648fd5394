"""Puts a shard together: data, then the indices of its minishards, behind the index that says where these are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.storage.compression import compress, compress_parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def pack_data(data: bytes | bytearray, spec: ShardSpec, level: int | None = None) -> bytes:
    """The bytes of one chunk as they lie in a shard."""
    return bytes(compress(data, "gzip", level) if spec.data_encoding == "gzip" else data)


def pack_parts(data: Iterator[bytes], spec: ShardSpec) -> Iterator[bytes]:
    """The same, of data that come part after part."""
    return compress_parts(data, "gzip") if spec.data_encoding == "gzip" else data


def build_shard(packed: dict[int, bytes], spec: ShardSpec) -> bytearray:
    """The shard that holds this packed data by number; the dictionary is emptied on the way, so nothing lies twice in memory.

    All numbers must belong to one shard. The same data give the same bytes.
    """
    import numpy as np

    numbers = np.sort(np.fromiter(packed, np.uint64, len(packed)))
    shards, minishards = spec.places(numbers)
    if len(numbers) and (shards != shards[0]).any():
        raise ValueError("the numbers of a shard must all belong to it")
    order = np.argsort(minishards, kind="stable")
    numbers, minishards = numbers[order], minishards[order]
    sizes = np.array([len(packed[number]) for number in numbers.tolist()], np.uint64)
    indices = index_minishards(numbers, minishards, np.zeros_like(sizes), sizes, spec)
    data_size = int(sizes.sum())
    shard = bytearray(spec.index_size + data_size + sum(len(index) for _, index in indices))
    shard[: spec.index_size] = index_shard(indices, data_size, spec)
    at = spec.index_size
    for data in _in_order(packed, numbers.tolist(), [index for _, index in indices]):
        shard[at : at + len(data)] = data
        at += len(data)
    return shard


def _in_order(packed: dict[int, bytes], numbers: list[int], indices: list[bytes]) -> Iterable[bytes]:
    for number in numbers:
        yield packed.pop(number)
    yield from indices


def index_minishards(
    numbers: NDArray[np.uint64],
    minishards: NDArray[np.uint64],
    before: NDArray[np.uint64],
    sizes: NDArray[np.uint64],
    spec: ShardSpec,
) -> list[tuple[int, bytes]]:
    """The minishards that hold something, each with its index: numbers and places as differences, and sizes.

    Data lie without gaps, but for the bytes `before` each of them that belong to it and that no index tells of.
    """
    import numpy as np

    indices = []
    ends = np.cumsum(before + sizes, dtype=np.uint64)
    for minishard in np.unique(minishards).tolist():
        first, last = (int(np.searchsorted(minishards, np.uint64(minishard), side)) for side in ("left", "right"))
        rows = np.zeros((3, last - first), "<u8")
        rows[0] = np.diff(numbers[first:last], prepend=np.uint64(0))
        rows[1] = before[first:last]  # from the end of the data before
        rows[1, 0] = ends[first] - sizes[first]
        rows[2] = sizes[first:last]
        index = rows.tobytes()
        indices.append(
            (minishard, bytes(compress(index, "gzip")) if spec.minishard_index_encoding == "gzip" else index)
        )
    return indices


def index_shard(indices: list[tuple[int, bytes]], data_size: int, spec: ShardSpec) -> bytes:
    """Where each minishard's index begins and ends, counted from the end of this index; empty ones end where they begin."""
    import numpy as np

    index = np.zeros((spec.minishards, 2), "<u8")
    at = data_size
    for minishard, data in indices:
        index[minishard] = (at, at + len(data))
        at += len(data)
    return index.tobytes()
