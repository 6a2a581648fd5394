"""Copies one piece: the shard, or the objects, of some labels."""

from __future__ import annotations

from collections.abc import Iterator

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.layers.sharding.build import pack_data
from teravox.pipeline.objects.copying.part import Part
from teravox.pipeline.objects.copying.plan import Plan
from teravox.pipeline.objects.copying.ways import Thing
from teravox.pipeline.objects.shard_folder import ShardFolder
from teravox.pipeline.storage.side_by_side import do_all

STEP = 32 * 1024 * 1024  # bytes of a shard that are read at once, at most
STEPS = 3  # of which there is memory for so many


def need_of(plan: Plan, part: Part) -> int:
    """The most bytes that a piece takes. Only shards that are copied as they are have a size that is known before."""
    if plan.copied_shards is None:
        return plan.wish.memory
    length = plan.copied_shards.length(part.shard)
    is_whole = plan.dest.url.startswith("gs://")  # which does not take objects part after part
    return LIBRARIES + (2 * length if is_whole else STEPS * min(_step(plan), length))


def copy_piece(plan: Plan, part: Part) -> None:
    """Do a piece. It writes whole objects of its own, so it may run twice and beside any other."""
    if plan.copied_shards is not None:
        _copy_shard(plan, plan.copied_shards, part)
    elif plan.form == "sharded":
        _build_shard(plan, part)
    else:
        _put_all(plan, plan.ways.things(plan, part))


def outputs_of(plan: Plan, part: Part) -> list[str]:
    """The keys that a piece leaves behind where there is something to copy."""
    if plan.form == "sharded":
        return [plan.shard_key(part)]
    return [f"{plan.folder}/{name}" for label in plan.labels(part) for name in plan.ways.names(plan.form, label)]


def _copy_shard(plan: Plan, shards: ShardFolder, part: Part) -> None:
    key = shards.reader.key(part.shard)
    length = shards.length(part.shard)
    if length:
        step = _step(plan)
        parts = (shards.read_data(key, at, min(step, length - at)) for at in range(0, length, step))
        plan.dest.put_parts(plan.shard_key(part), parts)


def _step(plan: Plan) -> int:
    return min(STEP, plan.room // STEPS)


def _build_shard(plan: Plan, part: Part) -> None:
    from teravox.pipeline.objects.shard import Entry, shard_parts
    from teravox.pipeline.objects.spool import Spool

    entries = []
    with Spool() as spool:
        for stored in plan.ways.entries(plan, part):
            data = spool.put(pack_data(stored.data, plan.spread))
            entries.append(Entry(stored.label, data, [spool.put(stored.before)]))
        if entries:
            plan.dest.put_parts(plan.shard_key(part), shard_parts(entries, plan.spread, spool))


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
