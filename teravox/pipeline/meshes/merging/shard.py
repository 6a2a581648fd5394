"""Writes a shard of meshes: of each label its fragments and, right behind them, the manifest to which the index points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.meshes.merging.spool import Span, Spool
from teravox.pipeline.storage.compression import compress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Entry(NamedTuple):
    """A label of a shard: where its fragments and its manifest lie in a spool."""

    label: int
    fragments: Sequence[Span]
    manifest: Span


def shard_parts(entries: Sequence[Entry], spec: ShardSpec, spool: Spool) -> Iterator[bytes]:
    """The bytes of a shard, part after part; the order of the entries changes nothing.

    Data lie in the order of the minishards, and within one in the order of labels, as its index must have them.
    """
    import numpy as np

    labels = np.array([entry.label for entry in entries], np.uint64)
    shards, minishards = spec.places(labels)
    if len(labels) and (shards != shards[0]).any():
        raise ValueError("the labels of a shard must all belong to it")
    order = np.lexsort((labels, minishards))
    ordered = [entries[at] for at in order.tolist()]
    before = np.array([sum(span.size for span in entry.fragments) for entry in ordered], np.uint64)
    manifest = np.array([entry.manifest.size for entry in ordered], np.uint64)
    indices = list(_indices(labels[order], minishards[order], before, manifest, spec))
    yield _shard_index(indices, int(before.sum() + manifest.sum()), spec)
    for entry in ordered:
        for span in (*entry.fragments, entry.manifest):
            yield spool.get(span)
    for _, index in indices:
        yield index


def _indices(
    labels: NDArray[np.uint64],
    minishards: NDArray[np.uint64],
    before: NDArray[np.uint64],
    manifest: NDArray[np.uint64],
    spec: ShardSpec,
) -> Iterator[tuple[int, bytes]]:
    """The minishards that hold something, each with its index: labels and places of manifests as differences, and sizes."""
    import numpy as np

    ends = np.cumsum(before + manifest, dtype=np.uint64)
    for minishard in np.unique(minishards).tolist():
        first, last = (int(np.searchsorted(minishards, np.uint64(minishard), side)) for side in ("left", "right"))
        rows = np.zeros((3, last - first), "<u8")
        rows[0] = np.diff(labels[first:last], prepend=np.uint64(0))
        rows[1] = before[first:last]  # from the end of the manifest before, behind this label's fragments
        rows[1, 0] = ends[first] - manifest[first]
        rows[2] = manifest[first:last]
        index = rows.tobytes()
        yield minishard, bytes(compress(index, "gzip")) if spec.minishard_index_encoding == "gzip" else index


def _shard_index(indices: Sequence[tuple[int, bytes]], data_size: int, spec: ShardSpec) -> bytes:
    """Where each minishard's index begins and ends, counted from the end of this index; empty ones end where they begin."""
    import numpy as np

    index = np.zeros((spec.minishards, 2), "<u8")
    at = data_size
    for minishard, data in indices:
        index[minishard] = (at, at + len(data))
        at += len(data)
    return index.tobytes()
