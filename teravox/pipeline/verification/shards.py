"""Verifies a mip whose chunks lie in shards."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.layers.chunk_numbers import chunk_numbers
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.against_ledger import compare_checksums, compare_sizes
from teravox.pipeline.verification.chunks import missing
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.images import choose, decode_chunks, is_written, without_voxels
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.shard_index import Entries, Shard, check_shard
from teravox.pipeline.verification.wanted_chunks import WantedChunks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class _There(NamedTuple):
    """A shard that is there."""

    key: str
    shard: int
    bytes: int | None  # None where nobody says it


class Shards:
    """One mip. It holds 20 bytes of each chunk, and one shard's index for each thread."""

    def __init__(self, look: Look, layer: Layer, mip: int) -> None:
        self.place = f"mip {mip}"
        self._look = look
        self._layer = layer
        self._mip = mip
        self._scale = layer.scale(mip)
        self._numbers = chunk_numbers(self._scale, layer.place(mip))
        self._grid = Grid(self._scale.bounds, self._scale.chunk)

    def steps(self) -> int:
        chunks = len(self._grid)
        decoded = chunks if self._look.how.sample is None else min(self._look.how.sample, chunks)
        return chunks + decoded

    def findings(self) -> Iterator[Finding]:
        wanted = WantedChunks(self._grid, self._numbers)
        there, extra = self._list(wanted) if self._look.can_list else (self._ask(wanted), [])
        yield from extra
        if not there and not is_written(self._look, self._layer, self._mip):
            yield from without_voxels(self._look, self._layer, self._mip)
            return
        sizes = [(one.key, one.bytes) for one in there if one.bytes is not None]
        damaged: set[str] = set()
        for finding in compare_sizes(self._look, sizes):
            damaged.add(finding.key)
            yield finding
        unchanged = {one.key for one in there} - damaged
        known = zip(sizes, self._look.makers.recorded(key for key, _ in sizes), strict=True)
        as_written = {
            key for (key, _), recorded in known if recorded is not None and not recorded.is_removed and key in unchanged
        }
        keys = {self._key(shard) for shard in wanted.shards.tolist()} - {one.key for one in there}
        for finding in missing(self._look, sorted(keys), "shards"):
            yield finding
        if self._look.how.checksums:
            changed = list(compare_checksums(self._look, (one.key for one in there)))
            damaged.update(finding.key for finding in changed)
            yield from changed
        yield from self._indices(wanted, there, as_written, damaged)

    def _list(self, wanted: WantedChunks) -> tuple[list[_There], list[Finding]]:
        """The shards that are there, and what is there and should not be."""
        there: list[_There] = []
        findings: list[Finding] = []
        begin = f"{self._scale.key}/"
        shards = set(wanted.shards.tolist())
        for key, size, how in self._look.store.list_sizes(begin):
            name = re.fullmatch(r"([0-9a-f]+)\.shard", key.removeprefix(begin))
            shard = int(name[1], 16) if name else -1
            if shard not in shards or self._key(shard) != key:
                findings.append(
                    Finding("unlisted", key, f"{self._layer.place(self._mip)} has no such shard, by its info")
                )
            elif how is not None:
                findings.append(Finding("wrong", key, f"it is stored compressed ({how}), so no part of it can be read"))
            else:
                there.append(_There(key, shard, size))
        self._look.counts["shards"] += len(there)
        return there, findings

    def _ask(self, wanted: WantedChunks) -> list[_There]:
        """The same where nothing can be listed: each is asked for, and its size stays unknown."""
        keys = {self._key(shard): shard for shard in wanted.shards.tolist()}
        exists = self._look.store.exists(keys)
        return [_There(key, shard, None) for key, shard in keys.items() if exists[key]]

    def _indices(
        self, wanted: WantedChunks, there: list[_There], as_written: set[str], damaged: set[str]
    ) -> Iterator[Finding]:
        """What the indices say, and whether all that belongs into the shards is there."""

        def check(one: _There) -> tuple[_There, Shard | None]:
            return one, check_shard(self._look.store, one.key, self._numbers.spec, one.shard, one.bytes)

        sound = array("q")
        for one, shard in side_by_side(check, there, self._layer.lanes):
            chunks, numbers = wanted.of(one.shard)
            self._look.step(len(chunks))
            if shard is None:  # it went away after it was listed
                yield Finding("missing", one.key, "it is not there")
                continue
            entries = shard.entries
            self._look.counts["chunks"] += len(entries.numbers)
            found = shard.findings or list(self._compare(one, entries, numbers, is_as_written=one.key in as_written))
            yield from found
            if not found and one.key not in damaged:
                sound.frombytes(_present(entries.numbers, numbers, chunks))
        yield from self._decode(sound)

    def _compare(
        self, one: _There, entries: Entries, numbers: NDArray[np.uint64], *, is_as_written: bool
    ) -> Iterator[Finding]:
        import numpy as np

        strange = np.setdiff1d(entries.numbers, numbers)
        if len(strange):
            yield Finding(
                "wrong",
                one.key,
                f"it holds {len(strange):,} chunks that are not within the volume, such as {strange[0]}",
            )
        absent = len(np.setdiff1d(numbers, entries.numbers))
        if not absent:
            return
        if is_as_written:
            self._look.counts["chunks left out, as there was nothing to write"] += absent
        elif self._look.how.fill_missing:
            self._look.counts["chunks missing, which count as background"] += absent
        else:
            tells = (
                "no job of the ledger tells of this shard"
                if self._look.makers.has_ledger
                else "this layer has no ledger"
            )
            yield Finding(
                "missing",
                one.key,
                f"{absent:,} of its {len(numbers):,} chunks are not in it, or were left out because they are empty: {tells}",
            )

    def _decode(self, sound: array[int]) -> Iterator[Finding]:
        import numpy as np

        chunks = np.sort(np.frombuffer(sound, np.int64)) if sound else np.empty(0, np.int64)
        chosen = choose(len(chunks), self._look, self._scale.key)
        boxes: Iterable[Box] = (self._grid[int(chunks[at])] for at in chosen)
        for box, answer in decode_chunks(self._look, self._layer, self._mip, boxes):
            (shard,) = self._numbers.shards_of([box])
            yield Finding(answer.what or "missing", self._key(shard), f"chunk {box} in it: {answer.why or answer.note}")

    def _key(self, shard: int) -> str:
        return f"{self._scale.key}/{self._numbers.spec.file_name(shard)}"


def _present(found: NDArray[np.uint64], numbers: NDArray[np.uint64], chunks: NDArray[np.int64]) -> bytes:
    """The places in the grid, as 8 bytes each, of the chunks whose numbers were found."""
    import numpy as np

    return chunks[np.isin(numbers, found)].astype(np.int64).tobytes()
