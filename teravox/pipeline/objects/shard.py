"""Writes a shard out of a spool: of each label the data to which the index points and, right before them, what these tell of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from teravox.pipeline.layers.sharding.build import index_minishards, index_shard
from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.objects.spool import Span, Spool


class Entry(NamedTuple):
    """A label of a shard: where its data lie in a spool, and what stands before them, such as the fragments of a manifest."""

    label: int
    data: Span
    before: Sequence[Span] = ()


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
    before = np.array([sum(span.size for span in entry.before) for entry in ordered], np.uint64)
    sizes = np.array([entry.data.size for entry in ordered], np.uint64)
    indices = index_minishards(labels[order], minishards[order], before, sizes, spec)
    yield index_shard(indices, int(before.sum() + sizes.sum()), spec)
    for entry in ordered:
        for span in (*entry.before, entry.data):
            yield from spool.parts(span)
    for _, index in indices:
        yield index
