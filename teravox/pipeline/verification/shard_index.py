"""Checks what a shard says of itself: its index, those of its minishards, and where they point to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.read import Found
from teravox.pipeline.layers.sharding.spec import ROW, ShardSpec
from teravox.pipeline.storage.compression import decompress
from teravox.pipeline.verification.finding import Finding, What

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.store import Store

    Numbers = NDArray[np.uint64]

SHOWN = 3  # numbers that a sentence names
ENDLESS = 1 << 62  # bytes, which no file has
MOST_INDEX = 1 << 30  # bytes that the index of a minishard may unpack to


class Entries(NamedTuple):
    """What lies in a shard, in the order of where it begins: numbers, and from which byte of the file to which."""

    numbers: Numbers
    starts: Numbers
    stops: Numbers

    def found(self, shard: int) -> list[Found]:
        """The same, as readers have it."""
        rows = zip(self.numbers.tolist(), self.starts.tolist(), self.stops.tolist(), strict=True)
        return [Found(number, shard, start, stop) for number, start, stop in rows]


class Shard(NamedTuple):
    """What was found out about a shard: what is wrong with it, and those entries that can be trusted."""

    findings: list[Finding]
    entries: Entries


def check_shard(store: Store, key: str, spec: ShardSpec, shard: int, size: int | None) -> Shard | None:
    """Read all indices of a shard that has so many bytes, if it is known; None if it is not there. The data are not read."""
    check = _Check(store, key, spec, shard, size)
    try:
        entries = check.run()
        return None if entries is None else Shard(check.findings, entries)
    except BadInput as error:  # such as a shard that is stored compressed, so that no part of it can be read
        check.say("wrong", str(error))
        return Shard(check.findings, _nothing())


class _Check:
    def __init__(self, store: Store, key: str, spec: ShardSpec, shard: int, size: int | None) -> None:
        self.findings: list[Finding] = []
        self._store = store
        self._key = key
        self._spec = spec
        self._shard = shard
        self._size = ENDLESS if size is None else size

    def say(self, what: What, why: str) -> None:
        self.findings.append(Finding(what, self._key, why))

    def run(self) -> Entries | None:
        import numpy as np

        base = self._spec.index_size
        index = self._store.get_range(self._key, 0, base)
        if index is None:
            return None
        if len(index) != base:
            self.say("truncated", f"it has {len(index):,} bytes and ends within its index, which has {base:,}")
            return _nothing()
        spans = np.frombuffer(index, "<u8").reshape(-1, 2)
        room = self._size - base
        inside = (spans[:, 0] <= spans[:, 1]) & (spans[:, 1] <= room)
        if not inside.all():
            lost = np.flatnonzero(~inside)
            if (spans[lost, 0] > spans[lost, 1]).any():
                self.say("wrong", f"its index says that minishard {lost[0]} ends before it begins")
            else:
                end = base + int(spans[lost, 1].max())
                self.say("truncated", f"it has {self._size:,} bytes, and its index points as far as byte {end:,}")
        used = np.flatnonzero(inside & (spans[:, 0] < spans[:, 1]))
        parts = [self._minishard(mini, *map(int, spans[mini] + np.uint64(base))) for mini in used.tolist()]
        entries = Entries(*(np.concatenate([part[at] for part in (_nothing(), *parts)]) for at in range(3)))
        order = np.lexsort((entries.stops, entries.starts))
        entries = Entries(*(column[order] for column in entries))
        self._check_overlaps(entries, spans[used] + np.uint64(base))
        return entries

    def _minishard(self, number: int, start: int, stop: int) -> Entries:
        import numpy as np

        data = self._store.get_range(self._key, start, stop) or b""
        try:
            plain = decompress(data, "gzip", MOST_INDEX) if self._spec.minishard_index_encoding == "gzip" else data
        except ValueError as error:
            self.say("undecodable", f"the index of minishard {number}: {error}")
            return _nothing()
        if not plain or len(plain) % ROW:
            self.say(
                "undecodable", f"the index of minishard {number} has {len(plain):,} bytes, which are no whole rows"
            )
            return _nothing()
        rows = np.frombuffer(plain, "<u8").reshape(3, -1)
        numbers = np.cumsum(rows[0], dtype=np.uint64)
        sizes = np.cumsum(rows[2], dtype=np.uint64)
        starts = np.cumsum(rows[1], dtype=np.uint64) + np.uint64(self._spec.index_size) + sizes - rows[2]
        entries = Entries(numbers, starts, starts + rows[2])
        return self._check_rows(number, entries, rows[2])

    def _check_rows(self, minishard: int, entries: Entries, sizes: Numbers) -> Entries:
        """The rows of a minishard's index without those that cannot be true."""
        import numpy as np

        numbers = entries.numbers
        if (numbers[1:] <= numbers[:-1]).any():
            self.say("wrong", f"the index of minishard {minishard} does not list its numbers once and in order")
        shards, minishards = self._spec.places(numbers)
        at_home = (shards == np.uint64(self._shard)) & (minishards == np.uint64(minishard))
        if not at_home.all():
            some = _say(numbers[~at_home])
            self.say("wrong", f"minishard {minishard} holds {some}, whose place is another shard or minishard")
        end = np.uint64(self._size)
        base = np.uint64(self._spec.index_size)
        fits = (entries.starts >= base) & (sizes <= end) & (entries.starts <= end - np.minimum(sizes, end))
        if not fits.all():
            self.say("truncated", f"it has {self._size:,} bytes, and {_say(numbers[~fits])} would lie outside of them")
        good = at_home & fits
        return Entries(*(column[good] for column in entries))

    def _check_overlaps(self, entries: Entries, indices: Numbers) -> None:
        """Several numbers may have the same bytes; but bytes that are shared in part are told of wrongly."""
        import numpy as np

        starts = np.concatenate([entries.starts, indices[:, 0]])
        stops = np.concatenate([entries.stops, indices[:, 1]])
        spans = np.unique(np.stack([starts, stops], axis=1)[starts < stops], axis=0)
        crossed = spans[1:, 0] < spans[:-1, 1]
        if crossed.any():
            at = int(spans[1:, 0][crossed][0])
            self.say("wrong", f"its index says of the bytes from {at:,} on that they are several things at once")


def _nothing() -> Entries:
    import numpy as np

    none = np.empty(0, np.uint64)
    return Entries(none, none, none)


def _say(numbers: Numbers) -> str:
    more = f" and {len(numbers) - SHOWN:,} more" if len(numbers) > SHOWN else ""
    return ", ".join(map(str, numbers[:SHOWN].tolist())) + more
