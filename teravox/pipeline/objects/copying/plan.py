"""Where a copy of objects lies, in which form, and which labels each of its pieces has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.objects.copying.labels_file import LabelsFile, hashed
from teravox.pipeline.objects.copying.part import Part, Parts
from teravox.pipeline.objects.copying.ways import Ways
from teravox.pipeline.objects.copying.wish import Wish
from teravox.pipeline.objects.named_folder import named_folder
from teravox.pipeline.objects.result_folder import find_folder, read_mark, stem_of
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.objects.source import ObjectSource
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.objects.shard_folder import ShardFolder
    from teravox.pipeline.store import Store

LEAST = 100_000_000  # bytes of room for objects


class Plan:
    """A copy of objects; `spread` says which labels lie together in a piece, and in the copy's shards if it has any."""

    def __init__(
        self, wish: Wish, ways: Ways, source: ObjectSource, form: str, dest: Store, folder: str, spread: ShardSpec
    ) -> None:
        self.wish = wish
        self.ways = ways
        self.source = source
        self.form = form
        self.dest = dest
        self.folder = folder
        self.spread = spread
        self.room = wish.memory - LIBRARIES

    @property
    def pieces(self) -> Sequence[Part]:
        if not self.wish.labels:
            return Parts(range(self.spread.shards))
        return Parts(sorted(set(_shards(self.spread, self.wish.labels))))

    @property
    def copied_shards(self) -> ShardFolder | None:
        """The shards of the source, where those of the copy are the same byte by byte."""
        return self.source.shards if self.form == "sharded" and not self.wish.labels else None

    @property
    def transfer_folder(self) -> str:
        """Where that lies which only the tasks need."""
        return f"{self.folder}.transfer"

    @property
    def labels_key(self) -> str:
        """Where the labels are written that are to be copied."""
        return f"{self.transfer_folder}/labels"

    def shard_key(self, part: Part) -> str:
        return f"{self.folder}/{self.spread.file_name(part.shard)}"

    def labels(self, part: Part) -> Sequence[int]:
        """The labels of a piece, in ascending order."""
        if self.wish.labels:
            shards = _shards(self.spread, self.wish.labels)
            return sorted({label for label, at in zip(self.wish.labels, shards, strict=True) if at == part.shard})
        if self.source.shards is not None:
            return sorted(found.number for found in self.source.shards.reader.all_in(part.shard))
        file = LabelsFile.open(self.dest, self.labels_key)
        if file is not None:
            return file.labels(part.shard)
        if named_folder(Layer.open(self.dest.url, fresh=True), self.ways.sort) == self.folder:
            return []  # the job is finished, and this task was done before
        raise BadInput(f"{self.dest.url}/{self.labels_key} is missing: give the command again, which writes it")


def plan_copy(wish: Wish, ways: Ways, *, fresh: bool = False) -> Plan:
    """Look at source and destination; nothing is written."""
    from teravox.pipeline.layers.same_place import refuse_same

    refuse_same(wish.source, wish.dest)
    if wish.memory < LIBRARIES + LEAST:
        raise BadUsage(
            f"--memory: {say_bytes(wish.memory)} are too little for {ways.sort.many}; "
            f"give it {say_bytes(LIBRARIES + LEAST)} or more"
        )
    source = ways.open(Layer.open(wish.source, fresh=fresh))
    form = source.form if wish.form == "auto" else wish.form
    dest = open_store(wish.dest)
    folder = wish.dir or stem_of(source.folder)
    if dest.get("info") is not None:
        folder = find_folder(Layer.open(wish.dest, fresh=fresh), ways.sort, folder, wish.job_id)
    spread = _spread(wish, ways, source, form, dest, folder) if source.shards is None else source.shards.spec
    return Plan(wish, ways, source, form, dest, folder, spread)


def missing(source: ObjectSource, sort: Sort, label: int) -> BadInput:
    """What to raise where a label that was asked for has gone."""
    return BadInput(f"label {label} has no {sort.one} in {source.url}; leave it out of --labels")


def refuse_size(source: ObjectSource, sort: Sort, label: int, size: int, most: int) -> None:
    """Raise BadInput where an object takes more than the memory of a task can hold."""
    if size > most:
        raise BadInput(
            f"the {sort.one} of label {label} in {source.url} takes {size:,} bytes, and a task has room for {most:,}: "
            "give it more --memory"
        )


def _spread(wish: Wish, ways: Ways, source: ObjectSource, form: str, dest: Store, folder: str) -> ShardSpec:
    """As the info of the copy says, once that is written."""
    from teravox.pipeline.objects.copying.choose import choose_bits

    mark = read_mark(dest, folder, wish.job_id)
    if mark is not None:
        return hashed(int(mark["bits"]))
    return hashed(choose_bits(ways, source, list(wish.labels) or list(source.labels()), form))


def _shards(spread: ShardSpec, labels: Sequence[int]) -> list[int]:
    import numpy as np

    shards, _ = spread.places(np.array(labels, np.uint64))
    return list(map(int, shards))
