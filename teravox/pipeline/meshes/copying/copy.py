"""Copies one piece: the shard, or the objects, of some labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.build import pack_data
from teravox.pipeline.meshes.copying.part import Part
from teravox.pipeline.meshes.copying.plan import Plan
from teravox.pipeline.meshes.copying.stored import Stored, read_shard, read_stored, refuse_size
from teravox.pipeline.meshes.legacy_source import LegacySource
from teravox.pipeline.meshes.multires_source import MultiresSource, ShardedSource
from teravox.pipeline.storage.side_by_side import do_all
from teravox.pipeline.store import Compression

STEP = 32 * 1024 * 1024  # bytes of a shard that are in memory at once
OF_VERTEX, OF_FACE = 300, 120  # bytes that a mesh takes while its fragments are joined
OF_PACKED = 200  # bytes that a byte of Draco becomes, where its head does not say more
OF_BYTE = 16  # bytes that a byte of a legacy mesh takes while it is packed


class Thing(NamedTuple):
    """An object to be written."""

    key: str
    stored: bytes
    how: Compression | None = None


def need_of(plan: Plan, part: Part) -> int:
    """The most bytes that a piece takes. Only shards that are copied as they are have a size that is known before."""
    if not plan.copies_shards:
        return plan.wish.memory
    assert isinstance(plan.source, ShardedSource)
    length = plan.source.length(part.shard)
    is_whole = plan.dest.url.startswith("gs://")  # which does not take objects part after part
    return LIBRARIES + (2 * length if is_whole else 3 * min(STEP, length))


def copy_piece(plan: Plan, part: Part) -> None:
    """Do a piece. It writes whole objects of its own, so it may run twice and beside any other."""
    if plan.copies_shards:
        _copy_shard(plan, part)
    elif plan.form == "sharded":
        _build_shard(plan, part)
    elif plan.form == "multires":
        _put_all(plan, _multires_things(plan, part))
    else:
        _put_all(plan, _legacy_things(plan, part))


def outputs_of(plan: Plan, part: Part) -> list[str]:
    """The keys that a piece leaves behind where there is something to copy."""
    if plan.form == "sharded":
        return [plan.shard_key(part)]
    endings = ["", ".index"] if plan.form == "multires" else [":0"]
    return [f"{plan.folder}/{label}{ending}" for label in plan.labels(part) for ending in endings]


def _copy_shard(plan: Plan, part: Part) -> None:
    assert isinstance(plan.source, ShardedSource)
    key = plan.source.reader.key(part.shard)
    length = plan.source.length(part.shard)
    steps = range(0, length, STEP)
    if length:
        parts = (plan.source.read_data(key, at, min(STEP, length - at)) for at in steps)
        plan.dest.put_parts(plan.shard_key(part), parts)


def _build_shard(plan: Plan, part: Part) -> None:
    from teravox.pipeline.meshes.merging.shard import Entry, shard_parts
    from teravox.pipeline.meshes.merging.spool import Spool

    entries = []
    with Spool() as spool:
        for stored in _read(plan, part):
            manifest = pack_data(stored.manifest, plan.spread)
            entries.append(Entry(stored.label, [spool.put(stored.data)], spool.put(manifest)))
        if entries:
            plan.dest.put_parts(plan.shard_key(part), shard_parts(entries, plan.spread, spool))


def _multires_things(plan: Plan, part: Part) -> Iterator[Thing]:
    for stored in _read(plan, part):
        yield Thing(f"{plan.folder}/{stored.label}", stored.data)
        yield Thing(f"{plan.folder}/{stored.label}.index", stored.manifest)


def _read(plan: Plan, part: Part) -> Iterator[Stored]:
    """The meshes of a piece as they are to be stored with several levels."""
    source = plan.source
    if isinstance(source, LegacySource):
        yield from _pack(plan, source, part)
    elif isinstance(source, ShardedSource) and not plan.wish.labels:
        yield from read_shard(source, part.shard, plan.room // 3)
    else:
        assert isinstance(source, MultiresSource)
        yield from read_stored(source, plan.labels(part), plan.room // 3)


def _pack(plan: Plan, source: LegacySource, part: Part) -> Iterator[Stored]:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.meshes.copying.one_level import make_one_level

    scale = max(Layer.open(plan.wish.source).scale(0).resolution)
    for label in plan.labels(part):
        mesh = source.get_within(label, plan.room // OF_BYTE)
        if mesh is None:
            raise _missing(source.url, label)
        yield Stored(label, *make_one_level(mesh, float(scale)))


def _legacy_things(plan: Plan, part: Part) -> Iterator[Thing]:
    source = plan.source
    if isinstance(source, LegacySource):
        for label in plan.labels(part):
            yield from _fragments(plan, source, label)
        return
    from teravox.pipeline.meshes.legacy_mesh import encode
    from teravox.pipeline.storage.compression import compress

    assert isinstance(source, MultiresSource)
    for label in plan.labels(part):
        place = source.find(label)
        if place is None:
            raise _missing(source.url, label)
        manifest = source.read_manifest(label, place.manifest)
        if not manifest.levels:
            raise _missing(source.url, label)
        level = manifest.levels[0]
        refuse_size(source, label, level.size, plan.room // 4)
        data = source.read_data(place.key, place.start, level.size)
        refuse_size(source, label, _unpacked(data, [fragment.size for fragment in level.fragments]), plan.room * 3 // 4)
        mesh = encode(*source.decode(label, manifest, 0, data))
        name = f"{label}:0:mesh"
        said = msgspec.json.encode({"fragments": [name]})
        yield Thing(f"{plan.folder}/{name}", bytes(compress(mesh, "gzip")), "gzip")
        yield Thing(f"{plan.folder}/{label}:0", bytes(compress(said, "gzip")), "gzip")


def _unpacked(data: bytes, sizes: Iterable[int]) -> int:
    """The bytes that fragments take while they are joined."""
    from teravox.pipeline.meshes.draco_counts import count_packed

    need = at = 0
    for size in sizes:
        counts = count_packed(data[at : at + size])
        need += OF_PACKED * size if counts is None else OF_VERTEX * counts[0] + OF_FACE * counts[1]
        at += size
    return need


def _fragments(plan: Plan, source: LegacySource, label: int) -> Iterator[Thing]:
    """The objects of a label, without unpacking them."""
    manifest = source.manifest(label)
    if manifest is None:
        raise _missing(source.url, label)
    for name in (*manifest.fragments, f"{label}:0"):
        stored = source.store.get_stored(f"{source.folder}/{name}")
        if stored is None:
            raise BadInput(f"{source.url}/{name} is missing, though a manifest names it. Forge the meshes again")
        yield Thing(f"{plan.folder}/{name}", *stored)


def _put_all(plan: Plan, things: Iterator[Thing]) -> None:
    """Write objects side by side, a part of the room full at a time."""
    batch: list[Thing] = []
    size = 0
    for thing in things:
        batch.append(thing)
        size += len(thing.stored)
        if size > plan.room // 8:
            do_all(lambda one: plan.dest.put_stored(*one), batch)
            batch, size = [], 0
    do_all(lambda one: plan.dest.put_stored(*one), batch)


def _missing(url: str, label: int) -> BadInput:
    return BadInput(f"label {label} has no mesh in {url}; leave it out of --labels")
