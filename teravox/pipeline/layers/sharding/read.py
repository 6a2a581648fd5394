"""Reads what lies in shards, by its numbers, with as few requests as there are minishards and gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.spec import ENTRY, ROW, ShardSpec
from teravox.pipeline.storage.compression import decompress
from teravox.pipeline.storage.side_by_side import LANES, side_by_side
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GAP = 64 * 1024  # bytes that are rather fetched and thrown away than asked around
MOST = 16 * 1024 * 1024  # bytes of one request, where what it fetches can be divided
AHEAD = 4  # such requests at once
_NOWHERE = 1 << 62  # no file is so long


class Found(msgspec.Struct, frozen=True):
    """Where the packed data of a number lie in the file of their shard."""

    number: int
    shard: int
    start: int
    stop: int


class ShardReader:
    """The shards below a prefix of a store. It keeps nothing between calls, so a shard that was replaced is seen."""

    def __init__(self, store: Store, prefix: str, spec: ShardSpec, lanes: int = LANES, most: int | None = None) -> None:
        """`most` is the most bytes that the data of a number may have; what says that it has more is broken."""
        self._store = store
        self._prefix = f"{prefix}/" if prefix else ""
        self.spec = spec
        self._lanes = lanes
        self._most = most

    def key(self, shard: int) -> str:
        return self._prefix + self.spec.file_name(shard)

    def read(self, numbers: Iterable[int]) -> Iterator[tuple[Found, bytes]]:
        """The packed data of those numbers that are there, in any order; `unpack` them."""
        return self.fetch(self.find(numbers))

    def find(self, numbers: Iterable[int]) -> list[Found]:
        """Where those numbers lie that are there."""
        import numpy as np

        wanted = np.unique(np.fromiter(numbers, np.uint64))
        shards, minishards = self.spec.places(wanted)
        order = np.lexsort((minishards, shards))
        wanted, shards, minishards = wanted[order], shards[order], minishards[order]
        groups: list[tuple[int, list[tuple[int, NDArray[np.uint64]]]]] = []
        for shard in np.unique(shards).tolist():
            here = shards == np.uint64(shard)
            groups.append(
                (
                    shard,
                    [
                        (mini, wanted[here & (minishards == np.uint64(mini))])
                        for mini in np.unique(minishards[here]).tolist()
                    ],
                )
            )
        return [found for group in side_by_side(self._find_in_shard, groups, self._lanes) for found in group]

    def all_in(self, shard: int) -> list[Found]:
        """Everything that lies in a shard; nothing where there is no such shard."""
        entries = self._entries(shard, 0, self.spec.minishards)
        return [] if entries is None else [one for part in self._minishards(shard, entries) for one in part]

    def fetch(self, found: Iterable[Found]) -> Iterator[tuple[Found, bytes]]:
        """The packed data of what was found, in any order."""
        for run in side_by_side(self._fetch, _runs(found), AHEAD):
            yield from run

    def unpack(self, found: Found, packed: bytes) -> bytes:
        """Data as they were before they were packed."""
        try:
            return decompress(packed, "gzip" if self.spec.data_encoding == "gzip" else None, self._most)
        except ValueError as error:
            raise self._broken(found.shard, f"entry {found.number}: {error}") from None

    def _find_in_shard(self, group: tuple[int, list[tuple[int, NDArray[np.uint64]]]]) -> list[Found]:
        import numpy as np

        shard, wanted = group
        first, last = (wanted[0][0], wanted[0][0] + 1) if len(wanted) == 1 else (0, self.spec.minishards)
        entries = self._entries(shard, first, last)
        if entries is None:
            return []
        parts = self._minishards(shard, entries[[minishard - first for minishard, _ in wanted]])
        asked = set(np.concatenate([numbers for _, numbers in wanted]).tolist())
        found = [one for part in parts for one in part if one.number in asked]
        if len({one.number for one in found}) < len(found):
            raise self._broken(shard, "its index tells more than once of the same number")
        return found

    def _entries(self, shard: int, first: int, last: int) -> NDArray[np.uint64] | None:
        """Where the indices of some minishards begin and end; None where there is no such shard."""
        import numpy as np

        data = self._store.get_range(self.key(shard), ENTRY * first, ENTRY * last)
        if data is None:
            return None
        if len(data) != ENTRY * (last - first):
            raise self._broken(shard, "it ends within its index")
        return np.frombuffer(data, "<u8").reshape(-1, 2)

    def _minishards(self, shard: int, entries: NDArray[np.uint64]) -> Iterator[list[Found]]:
        """What lies in minishards, by their entries in the index of the shard; near ones come by one request."""
        spans = [(int(start), int(stop)) for start, stop in entries if start != stop]
        if any(start > stop or stop >= _NOWHERE for start, stop in spans):
            raise self._broken(shard, "its index points to nowhere")
        for run in _near(sorted(spans)):
            begin = run[0][0]
            data = self._part(shard, self.spec.index_size + begin, self.spec.index_size + run[-1][1])
            for start, stop in run:
                yield self._rows(shard, data[start - begin : stop - begin])

    def _rows(self, shard: int, index: bytes) -> list[Found]:
        """What the index of a minishard says."""
        import numpy as np

        try:
            if self.spec.minishard_index_encoding == "gzip":
                index = decompress(index, "gzip")
        except ValueError as error:
            raise self._broken(shard, f"the index of a minishard: {error}") from None
        if len(index) % ROW:
            raise self._broken(shard, f"the index of a minishard has {len(index):,} bytes, which are no whole rows")
        rows = np.frombuffer(index, "<u8").reshape(3, -1)
        numbers = np.cumsum(rows[0], dtype=np.uint64)
        shards, minishards = self.spec.places(numbers)
        if (shards != np.uint64(shard)).any() or (minishards != minishards[:1]).any():
            raise self._broken(shard, "the index of a minishard tells of numbers that do not belong to it")
        sizes = np.cumsum(rows[2], dtype=np.uint64)
        starts = np.cumsum(rows[1], dtype=np.uint64) + np.uint64(self.spec.index_size) + sizes - rows[2]
        if rows[2].max(initial=0) >= _NOWHERE or starts.max(initial=0) >= _NOWHERE:
            raise self._broken(shard, "the index of a minishard points to nowhere")
        if self._most is not None and rows[2].max(initial=0) > self._most:
            raise self._broken(shard, f"the index of a minishard tells of data of {int(rows[2].max()):,} bytes")
        return [
            Found(number, shard, start, start + size)
            for number, start, size in zip(numbers.tolist(), starts.tolist(), rows[2].tolist(), strict=True)
        ]

    def _part(self, shard: int, start: int, stop: int) -> bytes:
        data = self._store.get_range(self.key(shard), start, stop)
        if data is None or len(data) != stop - start:
            raise self._broken(shard, f"it ends before byte {stop:,}, to which its index points")
        return data

    def _fetch(self, run: list[Found]) -> list[tuple[Found, bytes]]:
        """The packed data of numbers that lie near each other in one shard."""
        base = run[0].start
        data = self._part(run[0].shard, base, max(found.stop for found in run))
        return [(found, data[found.start - base : found.stop - base]) for found in run]

    def _broken(self, shard: int, why: str) -> BadInput:
        return BadInput(
            f"shard {self._store.url}/{self.key(shard)} cannot be read: {why}. "
            "It was damaged or cut off; write it again"
        )


def _runs(found: Iterable[Found]) -> Iterator[list[Found]]:
    """What lies near each other, so that one request fetches it; not too much of it, so that several go side by side."""
    run: list[Found] = []
    for one in sorted(found, key=lambda found: (found.shard, found.start)):
        if run and (one.shard != run[0].shard or one.start > run[-1].stop + GAP or one.stop - run[0].start > MOST):
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _near(spans: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """The same, for the indices of minishards."""
    run: list[tuple[int, int]] = []
    for span in spans:
        if run and span[0] > run[-1][1] + GAP:
            yield run
            run = []
        run.append(span)
    if run:
        yield run
