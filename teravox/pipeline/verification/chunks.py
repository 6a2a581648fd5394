"""Verifies a mip whose chunks lie in files of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.store import Compression
from teravox.pipeline.verification.against_ledger import TOGETHER, compare_checksums, compare_sizes
from teravox.pipeline.verification.chunk_names import ChunkGrid
from teravox.pipeline.verification.examining import ABSENT
from teravox.pipeline.verification.finding import Finding, What
from teravox.pipeline.verification.images import choose, decode_chunks, is_written, say_damage, without_voxels
from teravox.pipeline.verification.look import Look

PRESENT = 1
DAMAGED = 2


class Chunks:
    """One mip. What is there follows from one listing, so that millions of chunks cost a byte each."""

    def __init__(self, look: Look, layer: Layer, mip: int) -> None:
        self.place = f"mip {mip}"
        self._look = look
        self._layer = layer
        self._mip = mip
        self._scale = layer.scale(mip)
        self._grids = [ChunkGrid(self._scale, chunk) for chunk in dict.fromkeys(self._scale.chunk_sizes)]

    def steps(self) -> int:
        chunks = sum(map(len, self._grids))
        decoded = len(self._grids[0]) if self._look.how.sample is None else self._look.how.sample
        return chunks * (2 if self._look.how.checksums else 1) + min(decoded, len(self._grids[0]))

    def findings(self) -> Iterator[Finding]:
        if not self._look.can_list:
            self._look.counts["not checked: which objects are there, as a web server does not say it"] += 1
            self._look.step(sum(map(len, self._grids)))
            yield from self._decode(choose(len(self._grids[0]), self._look, self._scale.key))
            return
        yield from self._listed()
        if not any(map(any, (grid.seen for grid in self._grids))) and not is_written(
            self._look, self._layer, self._mip
        ):
            yield from without_voxels(self._look, self._layer, self._mip)
            return
        yield from self._missing()
        if self._look.how.checksums:
            keys = (grid.key(n) for grid in self._grids for n, seen in enumerate(grid.seen) if seen)
            yield from map(self._damaged, compare_checksums(self._look, keys))
        yield from self._decode_some()

    def _listed(self) -> Iterator[Finding]:
        """What is there, and should not be, or not so."""
        rest = self._look.store.list_sizes(f"{self._scale.key}/")
        while some := list(islice(rest, TOGETHER)):
            known: list[tuple[str, int]] = []
            for key, size, how in some:
                finding = self._note(key, size, how)
                if finding is not None:
                    yield finding
                else:
                    known.append((key, size))
            self._look.counts["chunks"] += len(some)
            self._look.step(len(some))
            yield from map(self._damaged, compare_sizes(self._look, known))

    def _note(self, key: str, size: int, how: Compression | None) -> Finding | None:
        """What is wrong with an object by its name and size alone."""
        name = key.removeprefix(f"{self._scale.key}/")
        places = [(grid, number) for grid in self._grids if (number := grid.find(name)) is not None]
        if not places:
            return Finding("unlisted", key, f"{self._layer.place(self._mip)} has no such chunk, by its info")
        is_doubled = any(grid.seen[number] for grid, number in places)
        for grid, number in places:
            grid.seen[number] = PRESENT
        if is_doubled:
            return Finding("doubled", key, f"it is there in several compressions, one of them {how or 'none'}")
        whole = (
            math.prod(self._grids[0].grid[places[0][1]].size)
            * self._layer.info.num_channels
            * self._layer.info.itemsize
        )
        if size == 0:
            return self._damaged(Finding("truncated", key, "it is empty"))
        is_bare = self._scale.encoding == "raw" and how is None and self._layer.url.startswith(("file://", "mem://"))
        if is_bare and len(self._grids) == 1 and size != whole:
            what: What = "truncated" if size < whole else "wrong"
            return self._damaged(Finding(what, key, f"it has {size:,} bytes, and its voxels take {whole:,}"))
        return None

    def _damaged(self, finding: Finding) -> Finding:
        """The same finding; a chunk that is known to be damaged need not be decoded."""
        number = self._grids[0].find(finding.key.removeprefix(f"{self._scale.key}/"))
        if number is not None:
            self._grids[0].seen[number] = DAMAGED
        return finding

    def _missing(self) -> Iterator[Finding]:
        for grid in self._grids:
            yield from missing(self._look, (grid.key(number) for number in grid.unseen()), "chunks")

    def _decode_some(self) -> Iterator[Finding]:
        import numpy as np

        there = np.flatnonzero(np.frombuffer(self._grids[0].seen, np.uint8) == PRESENT)
        yield from self._decode(int(there[at]) for at in choose(len(there), self._look, self._scale.key))

    def _decode(self, numbers: Iterable[int]) -> Iterator[Finding]:
        boxes = (self._grids[0].grid[number] for number in numbers)
        for box, answer in decode_chunks(self._look, self._layer, self._mip, boxes):
            if answer != ABSENT or not (self._look.can_list or self._look.how.fill_missing):  # the listing has told it
                yield say_damage(self._layer, self._mip, box, answer)


def missing(look: Look, keys: Iterable[str], word: str) -> Iterator[Finding]:
    """Of objects that are not there, those that should be; `word` says what they are, such as chunks."""
    rest = iter(keys)
    while some := list(islice(rest, TOGETHER)):
        look.step(len(some))
        unknown: list[str] = []
        for key, known in zip(some, look.makers.recorded(some), strict=True):
            if known is None:
                unknown.append(key)
            elif known.is_removed:
                look.counts[f"{word} removed"] += 1
            else:
                yield Finding("missing", key, "it is not there, and a task has written it")
        for key, why in look.absences.why(unknown).items():
            if why == "left out":
                look.counts[f"{word} left out, as there was nothing to write"] += 1
            elif why == "not done":
                yield Finding("missing", key, "it is not there: its piece is not done")
            elif look.how.fill_missing:
                look.counts[f"{word} missing, which count as background"] += 1
            elif look.makers.has_ledger:
                yield Finding(
                    "missing",
                    key,
                    "it is not there, or was left out because it is empty: no job of the ledger tells of it",
                )
            else:
                yield Finding(
                    "missing", key, "it is not there, or was left out because it is empty: this layer has no ledger"
                )
