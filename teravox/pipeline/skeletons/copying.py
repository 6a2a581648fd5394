"""What a copy must know of skeletons. They are never decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.copying.plan import missing, refuse_size
from teravox.pipeline.objects.copying.ways import Stored, Thing, Ways
from teravox.pipeline.objects.sort import SKELETON, Sort
from teravox.pipeline.skeletons.skeleton_info import read_skeleton_info
from teravox.pipeline.skeletons.skeleton_source import LegacySkeletons, ShardedSkeletons, SkeletonSource
from teravox.pipeline.storage.compression import compress, decompress
from teravox.pipeline.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.layers.sharding.read import Found
    from teravox.pipeline.objects.copying.part import Part
    from teravox.pipeline.objects.copying.plan import Plan
    from teravox.pipeline.objects.source import ObjectSource
    from teravox.pipeline.store import Compression

OF_THE_SOURCE = ("sharding", "segment_properties", "spatial_index")  # words of the skeletons' info
COPIES = 4  # of a skeleton that are in memory while it is packed anew
AT_ONCE = 4  # objects that are fetched side by side
TOGETHER = 16 * 1024 * 1024  # bytes of a shard that are fetched at once, unless a single skeleton has more


class SkeletonWays(Ways):
    """How skeletons are read and written, in both of their forms."""

    sort: ClassVar[Sort] = SKELETON

    def open(self, layer: Layer) -> ObjectSource:
        return SkeletonSource.open(layer)

    def info(self, plan: Plan) -> Json:
        _, raw = read_skeleton_info(plan.source.store, plan.source.folder)
        raw = {word: value for word, value in raw.items() if word not in OF_THE_SOURCE}
        return raw | ({"sharding": plan.spread.as_json()} if plan.form == "sharded" else {})

    def size(self, source: ObjectSource, label: int) -> int:
        if isinstance(source, LegacySkeletons):
            found = source.store.get_stored(f"{source.folder}/{label}")
            return 0 if found is None else len(found[0])
        assert isinstance(source, ShardedSkeletons)  # there are no others
        return sum(found.stop - found.start for found in source.shards.reader.find([label]))

    def entries(self, plan: Plan, part: Part) -> Iterator[Stored]:
        source = plan.source
        if isinstance(source, LegacySkeletons):
            for label, data, how in _objects(plan, source, part):
                yield Stored(label, _plain(source, label, data, how, plan.room // COPIES))
        else:
            assert isinstance(source, ShardedSkeletons)  # there are no others
            yield from _entries(plan, source, part)

    def things(self, plan: Plan, part: Part) -> Iterator[Thing]:
        source = plan.source
        if isinstance(source, LegacySkeletons):
            for label, data, how in _objects(plan, source, part):
                yield Thing(f"{plan.folder}/{label}", data, how)
            return
        for stored in self.entries(plan, part):
            yield Thing(f"{plan.folder}/{stored.label}", bytes(compress(stored.data, "gzip")), "gzip")

    def names(self, form: str, label: int) -> list[str]:  # noqa: ARG002 - only one of the forms has no shards
        return [str(label)]


def _objects(plan: Plan, source: LegacySkeletons, part: Part) -> Iterator[tuple[int, bytes, Compression | None]]:
    """The objects of labels as they are compressed, some fetched side by side."""
    most = plan.room // COPIES // AT_ONCE

    def fetch(label: int) -> tuple[int, bytes, Compression | None]:
        stored = source.store.get_stored(f"{source.folder}/{label}", most=most)
        if stored is None:
            raise missing(source, SKELETON, label)
        return label, *stored

    yield from side_by_side(fetch, plan.labels(part), AT_ONCE)


def _plain(source: ObjectSource, label: int, data: bytes, how: Compression | None, most: int) -> bytes:
    """The bytes of a skeleton, no more of them than a task has room for."""
    try:
        return decompress(data, how, most)
    except ValueError as error:
        raise BadInput(f"the skeleton of label {label} in {source.url} cannot be read: {error}") from None


def _entries(plan: Plan, source: ShardedSkeletons, part: Part) -> Iterator[Stored]:
    """What shards hold of labels, some of it at a time."""
    reader = source.shards.reader
    how: Compression | None = "gzip" if reader.spec.data_encoding == "gzip" else None
    wanted = plan.wish.labels and plan.labels(part)
    found = reader.find(wanted) if wanted else reader.all_in(part.shard)
    for label in set(wanted).difference(one.number for one in found):
        raise missing(source, SKELETON, label)
    for some in _groups(found, min(TOGETHER, plan.room // COPIES)):
        for one in some:
            refuse_size(source, SKELETON, one.number, one.stop - one.start, plan.room // COPIES)
        for one, packed in reader.fetch(some):
            yield Stored(one.number, _plain(source, one.number, packed, how, plan.room // COPIES))


def _groups(found: list[Found], most: int) -> Iterator[list[Found]]:
    """What can be fetched together; a large one is alone."""
    group: list[Found] = []
    size = 0
    for one in sorted(found, key=lambda one: one.start):
        if group and size + one.stop - one.start > most:
            yield group
            group, size = [], 0
        group.append(one)
        size += one.stop - one.start
    if group:
        yield group
