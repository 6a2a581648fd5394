"""Finds out what there is to know of a layer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

import msgspec

from teravox.pipeline.box import Vec
from teravox.pipeline.description.describe_objects import describe_fragments, mesh_details, skeleton_details
from teravox.pipeline.description.description import Description, JobState, Json, Mip, Part, Shards, Step, What
from teravox.pipeline.errors import BadInput

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Scale
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.store import Store

_JOB = re.compile(r"ledger/([^/]+)/")


def describe(layer: Layer) -> Description:
    """Look at a layer, and change nothing."""
    info = layer.info
    return Description(
        url=layer.url,
        type=info.type,
        data_type=info.data_type,
        num_channels=info.num_channels,
        mips=tuple(_mip(layer, mip, scale) for mip, scale in enumerate(info.scales)),
        parts=tuple(_parts(layer)),
        history=tuple(_history(layer.store)),
        jobs=None if layer.url.startswith(("http://", "https://")) else tuple(_jobs(layer.store)),
    )


def _mip(layer: Layer, mip: int, scale: Scale) -> Mip:
    from teravox.pipeline.layers.encoding import WORDS

    raw = layer.raw["scales"][mip]
    voxel_bytes = layer.info.itemsize * layer.info.num_channels
    chunks = math.prod(-(-n // c) for n, c in zip(scale.size, scale.chunk, strict=True))
    x, y, z = map(float, scale.resolution)
    return Mip(
        mip=mip,
        key=scale.key,
        size=scale.size,
        resolution=(x, y, z),
        voxel_offset=scale.voxel_offset,
        chunk=scale.chunk,
        encoding=scale.encoding,
        encoding_words={word: raw[word] for word in WORDS.get(scale.encoding, ()) if word in raw},
        chunks=chunks,
        raw_bytes=math.prod(scale.size) * voxel_bytes,
        shards=_shards(layer, mip, scale, voxel_bytes) if scale.sharding is not None else None,
    )


def _shards(layer: Layer, mip: int, scale: Scale, voxel_bytes: int) -> Shards:
    from teravox.pipeline.layers.chunk_numbers import chunk_numbers

    spec = chunk_numbers(scale, layer.place(mip)).spec
    shape: Vec | None
    try:
        shape = layer.unit(mip)
    except BadInput:  # a shard is no box
        shape = None
    count = shape and math.prod(-(-n // s) for n, s in zip(scale.size, shape, strict=True))
    return Shards(
        count=count,
        shape=shape,
        raw_bytes=shape and math.prod(shape) * voxel_bytes,
        minishards=spec.minishards,
        hash=spec.hash,
        data_encoding=spec.data_encoding,
    )


def _parts(layer: Layer) -> Iterator[Part]:
    raw = layer.raw
    for what in get_args(What):
        key = raw.get(what)
        if isinstance(key, str) and key:
            yield _part(layer, what, key)
    yield from describe_fragments(layer)


def _part(layer: Layer, what: What, key: str) -> Part:
    store = layer.store
    data = store.get(f"{key.strip('/')}/info")
    if data is None:
        return Part(what=what, key=key, found=False, type=None, is_sharded=False, details="it has no info")
    try:
        info = msgspec.json.decode(data, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{store.url}/{key}/info is not JSON: {error}. Correct it, or write it again") from None
    said = info.get("@type")
    return Part(
        what=what,
        key=key,
        found=True,
        type=said if isinstance(said, str) else None,
        is_sharded=isinstance(info.get("sharding"), dict),
        details=", ".join([*_details(info), *_looked_at(layer, what, key.strip("/"))]),
    )


def _looked_at(layer: Layer, what: What, folder: str) -> Iterator[str]:
    """What is worth knowing of a part beyond its info."""
    if what == "mesh":
        yield from mesh_details(layer, folder)
    elif what == "skeletons":
        yield from skeleton_details(layer, folder)


def _details(info: Json) -> Iterator[str]:
    """What is worth knowing of a part, out of its info."""
    bits = info.get("vertex_quantization_bits")
    if bits is not None:
        yield f"{bits}-bit vertices"
    attributes = info.get("vertex_attributes")
    if isinstance(attributes, list):
        yield from (str(attribute.get("id")) for attribute in attributes if isinstance(attribute, dict))
    if info.get("spatial_index"):
        yield "spatial index"
    inline = info.get("inline")
    if isinstance(inline, dict):
        yield f"{len(inline.get('ids', ())):,} segments"
        properties = inline.get("properties", ())
        yield from (str(one.get("id")) for one in properties if isinstance(one, dict))


def _history(store: Store) -> Iterator[Step]:
    data = store.get("provenance")
    if data is None or not data.strip():
        return
    try:
        processing = msgspec.json.decode(data, type=dict).get("processing") or []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{store.url}/provenance is not JSON: {error}. Correct it, or move it away") from None
    for entry in processing if isinstance(processing, list) else []:
        entry = entry if isinstance(entry, dict) else {"method": entry}
        method = entry.get("method")
        task = method.get("task") if isinstance(method, dict) else method
        version, date, by = (
            None if entry.get(word) is None else str(entry[word]) for word in ("version", "date", "by")
        )
        yield Step(task=str(task), version=version, date=date, by=by, method=method)


def _jobs(store: Store) -> Iterator[JobState]:
    ids = {found[1] for key in store.list("ledger/") if (found := _JOB.match(key))}
    yield from sorted((_job(store, id) for id in ids), key=lambda job: (job.kind or "", job.id))


def _job(store: Store, id: str) -> JobState:
    from teravox.pipeline.ledger import Ledger

    try:
        ledger = Ledger(store, id)
        job = ledger.job()
        finished = ledger.finished()
        done = job.total if job is not None and finished else len(ledger.done(None))
    except BadInput as error:
        return JobState(id=id, kind=None, version=None, done=None, total=None, finished=False, trouble=str(error))
    return JobState(
        id=id,
        kind=None if job is None else job.kind,
        version=None if job is None else job.version,
        done=done,
        total=None if job is None else job.total,
        finished=finished,
        trouble=None,
    )
