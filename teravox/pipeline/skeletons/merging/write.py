"""Writes the skeletons of a part in one of Neuroglancer's forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.layers.sharding.build import pack_data, pack_parts
from teravox.pipeline.objects.part import Part
from teravox.pipeline.objects.plan import Plan
from teravox.pipeline.objects.shard import Entry, shard_parts
from teravox.pipeline.objects.spool import Spool
from teravox.pipeline.skeletons.merging.merge import Encoded
from teravox.pipeline.skeletons.merging.stored import attributes_of
from teravox.pipeline.skeletons.skeleton_info import Form, skeleton_info
from teravox.pipeline.store import Compression, Store

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.layers.sharding.spec import Packing
    from teravox.pipeline.skeletons.forged import Forged

PACKING: Packing = "gzip"  # of skeletons in shards
AT_ONCE = 8 * 1024 * 1024  # bytes of objects that are stored side by side


def info_of(form: Form, plan: Plan, forged: Forged) -> Json:
    """The info of the new skeletons; CloudVolume looks for the mip in it."""
    spec = plan.spec(PACKING) if form == "sharded" else None
    return skeleton_info(attributes_of(forged), spec, forged.mip)


def write_shard(store: Store, plan: Plan, part: Part, merged: Iterator[tuple[int, Encoded]]) -> None:
    """All labels of a part as one shard; none where there are no labels."""
    spec = plan.spec(PACKING)
    with Spool() as spool:
        entries = []
        for label, data in merged:
            parts = [pack_data(data, spec)] if isinstance(data, bytes) else pack_parts(data, spec)
            entries.append(Entry(label, spool.put_parts(parts)))
        if entries:
            store.put_parts(f"{plan.folder}/{plan.shard_name(part)}", shard_parts(entries, spec, spool))


def write_legacy(store: Store, folder: str, merged: Iterator[tuple[int, Encoded]], how: Compression | None) -> None:
    """Each label as an object; some of them are stored side by side."""
    from teravox.pipeline.storage.compression import compress, compress_parts
    from teravox.pipeline.storage.side_by_side import do_all

    batch: list[tuple[str, bytes]] = []
    size = 0

    def put(one: tuple[str, bytes]) -> None:
        store.put_stored(*one, how)

    for label, data in merged:
        key = f"{folder}/{label}"
        if not isinstance(data, bytes):
            store.put_parts(key, compress_parts(data, how), how)
            continue
        batch.append((key, bytes(compress(data, how))))
        size += len(batch[-1][1])
        if size > AT_ONCE:
            do_all(put, batch)
            batch, size = [], 0
    do_all(put, batch)
