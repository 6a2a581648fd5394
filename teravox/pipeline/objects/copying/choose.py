"""Into how many parts the labels of a copy are divided, so that tasks and shards are of a good size."""

from __future__ import annotations

from collections.abc import Sequence

from teravox.pipeline.objects.copying.ways import Ways
from teravox.pipeline.objects.source import ObjectSource

SAMPLES = 16  # objects that are looked at for their size
LARGEST = 1_000_000_000  # bytes of a shard, about: few objects are looked at
IN_A_SHARD = 20_000  # labels, so that the index of a minishard stays small
IN_A_PIECE = 1_000  # labels that one task copies, where there are no shards


def choose_bits(ways: Ways, source: ObjectSource, labels: Sequence[int], form: str) -> int:
    """How many bits the number of a part has."""
    bits = 0
    if form != "sharded":
        while len(labels) >> bits > IN_A_PIECE:
            bits += 1
        return bits
    ordered = sorted(labels)
    seen = [ordered[at * len(ordered) // SAMPLES] for at in range(SAMPLES)] if len(ordered) > SAMPLES else ordered
    total = sum(ways.size(source, label) for label in seen) * len(ordered) // max(1, len(seen))
    while len(ordered) >> bits > IN_A_SHARD or total >> bits > LARGEST:
        bits += 1
    return bits
