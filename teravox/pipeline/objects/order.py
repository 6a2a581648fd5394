"""The order of labels that puts those of any shard, of any number of shards, next to each other.

Labels are hashed as Neuroglancer hashes them. The lowest MINISHARD_BITS of the hash are the minishard, the next ones
the shard, however many they are. The key of a label is the hash without the minishard, its lowest bit first: the
labels whose keys begin with the same k bits are those of one of 2^k shards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint64]

MINISHARD_BITS = 6
KEY_BITS = 64


def keys_of(labels: Labels) -> Labels:
    """The key of each label: what labels are ordered by."""
    import numpy as np

    from teravox.pipeline.layers.sharding.murmur import murmur64

    words = murmur64(np.asarray(labels, np.uint64)) >> np.uint64(MINISHARD_BITS)
    for shift, mask in (
        (1, 0x5555555555555555),
        (2, 0x3333333333333333),
        (4, 0x0F0F0F0F0F0F0F0F),
        (8, 0x00FF00FF00FF00FF),
        (16, 0x0000FFFF0000FFFF),
        (32, 0x00000000FFFFFFFF),
    ):
        by, low = np.uint64(shift), np.uint64(mask)
        words = ((words >> by) & low) | ((words & low) << by)
    return words


def in_order(labels: Labels) -> NDArray[np.intp]:
    """The indices that put labels in order: by their keys, and labels of one key by themselves."""
    import numpy as np

    return np.lexsort((labels, keys_of(labels)))


def part_of(labels: Labels, bits: int) -> Labels:
    """Which of 2^bits parts each label lies in; parts follow each other in the order of their labels."""
    import numpy as np

    keys = keys_of(labels)
    return keys >> np.uint64(KEY_BITS - bits) if bits else np.zeros_like(keys)


def shard_of(part: int, bits: int) -> int:
    """The shard, of 2^bits shards, that holds the labels of a part; and the part that holds those of a shard."""
    return int(f"{part:0{bits}b}"[::-1], 2) if bits else 0
