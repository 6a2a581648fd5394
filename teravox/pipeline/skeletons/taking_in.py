"""Gives a layer skeletons that come from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.build import pack_data
from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.objects.copying.choose import IN_A_SHARD, LARGEST
from teravox.pipeline.objects.copying.labels_file import hashed
from teravox.pipeline.objects.result_folder import claim_folder, find_folder, let_name
from teravox.pipeline.objects.shard import Entry, shard_parts
from teravox.pipeline.objects.sort import SKELETON
from teravox.pipeline.objects.spool import Span, Spool
from teravox.pipeline.skeletons.skeleton_format import encode
from teravox.pipeline.skeletons.skeleton_info import RADIUS, Form, skeleton_info
from teravox.pipeline.skeletons.swc import TYPES
from teravox.pipeline.storage.side_by_side import do_all

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.skeletons.skeleton import Skeleton

COUNT = 4  # bytes in which a skeleton tells of its vertices


class Taken(NamedTuple):
    """How many skeletons a layer was given, and in which folder they lie."""

    number: int
    folder: str


def take_in(layer: Layer, skeletons: Iterable[tuple[int, Skeleton]], form: Form, dir: str) -> Taken:
    """Write skeletons, which the layer names when all of them are there; nothing is written before all were read.

    The same skeletons go to the same folder. Types of vertices are left out where none has any.
    """
    with Spool() as spool, Spool() as packed:
        spans: dict[int, Span] = {}
        has_types = False
        for label, skeleton in skeletons:
            if label in spans:
                raise BadInput(f"label {label} is there twice: each label has one skeleton")
            has_types |= bool(skeleton.attributes[TYPES.id].any())
            spans[label] = spool.put(encode(skeleton, (RADIUS, TYPES)))
        attributes = (RADIUS, TYPES) if has_types else (RADIUS,)
        stamp = hashlib.sha256(form.encode())
        for label in sorted(spans):
            data = spool.get(spans[label])
            data = data if has_types else data[: len(data) - TYPES.bytes * int.from_bytes(data[:COUNT], "little")]
            stamp.update(b"%d %d " % (label, len(data)) + data)
            spans[label] = packed.put(pack_data(data, hashed(0)))
        mark = stamp.hexdigest()[:32]
        folder = find_folder(layer, SKELETON, dir, mark)
        spec = hashed(_choose_bits(spans)) if form == "sharded" else None
        claim_folder(layer.store, folder, skeleton_info(attributes, spec), mark)
        if spec is None:
            _write_objects(layer, folder, spans, packed)
        else:
            _write_shards(layer, folder, spans, spec, packed)
    let_name(layer, SKELETON, folder)
    return Taken(len(spans), folder)


def _choose_bits(spans: dict[int, Span]) -> int:
    total = sum(span.size for span in spans.values())
    bits = 0
    while len(spans) >> bits > IN_A_SHARD or total >> bits > LARGEST:
        bits += 1
    return bits


def _write_objects(layer: Layer, folder: str, spans: dict[int, Span], spool: Spool) -> None:
    objects = ((f"{folder}/{label}", spool.get(span)) for label, span in spans.items())
    do_all(lambda one: layer.store.put_stored(*one, "gzip"), objects)


def _write_shards(layer: Layer, folder: str, spans: dict[int, Span], spec: ShardSpec, spool: Spool) -> None:
    import numpy as np

    shards, _ = spec.places(np.fromiter(spans, np.uint64, len(spans)))
    entries: dict[int, list[Entry]] = {}
    for shard, (label, span) in zip(shards.tolist(), spans.items(), strict=True):
        entries.setdefault(shard, []).append(Entry(label, span))
    for shard, some in entries.items():
        layer.store.put_parts(f"{folder}/{spec.file_name(shard)}", shard_parts(some, spec, spool))
