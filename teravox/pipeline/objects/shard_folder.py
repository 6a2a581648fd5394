"""The shards in a folder of objects, one by one and as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.read import ShardReader
from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.store import Store

_SHARD = re.compile(r"([0-9a-f]{1,16})\.shard")


class ShardFolder:
    """Shards whose entries are numbered by labels. It keeps nothing between calls, so what is replaced is seen."""

    def __init__(self, store: Store, folder: str, spec: ShardSpec) -> None:
        self.store = store
        self.folder = folder
        self.spec = spec
        self.reader = ShardReader(store, folder, spec)

    def labels(self) -> Iterator[int]:
        """All labels that the shards hold, one after another as they are found."""
        for shard in self.numbers():
            for found in self.reader.all_in(shard):
                yield found.number

    def numbers(self) -> Iterator[int]:
        """The numbers of the shards that are there; on a web server, of those that can be."""
        if self.store.url.startswith(("http://", "https://")):  # which cannot list
            yield from range(self.spec.shards)
            return
        for key in self.store.list(f"{self.folder}/"):
            if found := _SHARD.fullmatch(key.removeprefix(f"{self.folder}/")):
                yield int(found[1], 16)

    def length(self, shard: int) -> int:
        """The bytes of a shard, as far as its index points; 0 where there is no such shard."""
        import numpy as np

        index = self.store.get_range(self.reader.key(shard), 0, self.spec.index_size)
        if index is None:
            return 0
        if len(index) != self.spec.index_size:
            raise BadInput(f"{self.store.url}/{self.reader.key(shard)} ends within its index. Write it again")
        return self.spec.index_size + int(np.frombuffer(index, "<u8").max(initial=0))

    def read_data(self, key: str, start: int, size: int) -> bytes:
        """Bytes of a shard; BadInput where it ends before."""
        data = self.store.get_range(key, start, start + size)
        if data is None or len(data) != size:
            raise BadInput(
                f"{self.store.url}/{key} ends before byte {start + size:,}, to which its index points. "
                "It was cut off; write it again"
            )
        return data
