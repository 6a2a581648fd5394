"""The labels that a job copies, written once so that each task reads only its own.

A head says how many bits the number of a part has, then comes where the labels of each part begin, then the labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.objects.order import MINISHARD_BITS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.store import Store

MAGIC = b"TVXLABL1"
HEAD = 16  # bytes
NUMBER = 8


def hashed(bits: int) -> ShardSpec:
    """Labels spread evenly over 2^bits parts, which are shards of the copy where it has any."""
    return ShardSpec(
        preshift_bits=0,
        hash="murmurhash3_x86_128",
        minishard_bits=MINISHARD_BITS,
        shard_bits=bits,
        minishard_index_encoding="gzip",
        data_encoding="gzip",
    )


def write_labels(store: Store, key: str, labels: NDArray[np.uint64], bits: int) -> None:
    """Put labels in order by the parts in which they lie."""
    import numpy as np

    labels = np.unique(labels)
    parts, _ = hashed(bits).places(labels)
    starts = np.searchsorted(np.sort(parts), np.arange((1 << bits) + 1, dtype=np.uint64)).astype("<u8")
    ordered = labels[np.argsort(parts, kind="stable")].astype("<u8")
    store.put(key, b"".join((MAGIC, bits.to_bytes(8, "little"), starts.tobytes(), ordered.tobytes())))


class LabelsFile(NamedTuple):
    """An open file of labels."""

    store: Store
    key: str
    bits: int

    @classmethod
    def open(cls, store: Store, key: str) -> LabelsFile | None:
        """The file; None if it is not there."""
        head = store.get_range(key, 0, HEAD)
        if head is None:
            return None
        if len(head) != HEAD or not head.startswith(MAGIC):
            raise _broken(store, key)
        return cls(store, key, int.from_bytes(head[8:], "little"))

    def labels(self, part: int) -> list[int]:
        """The labels of a part, in ascending order."""
        import numpy as np

        begin = HEAD + NUMBER * part
        data = self.store.get_range(self.key, begin, begin + 2 * NUMBER)
        if data is None or len(data) != 2 * NUMBER:
            raise _broken(self.store, self.key)
        first, last = np.frombuffer(data, "<u8").tolist()
        begin = HEAD + NUMBER * ((1 << self.bits) + 1 + first)
        data = self.store.get_range(self.key, begin, begin + NUMBER * (last - first))
        if data is None or len(data) != NUMBER * (last - first):
            raise _broken(self.store, self.key)
        return list(map(int, np.frombuffer(data, "<u8")))


def _broken(store: Store, key: str) -> BadInput:
    return BadInput(f"{store.url}/{key} is no list of labels: it was damaged. Give the command again, which writes it")
