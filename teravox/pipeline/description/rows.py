"""The description of a layer as tables of words: a list of heads, and rows of as many cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from teravox.pipeline.description.description import Description, JobState, Mip, Part, Shards, Step
from teravox.pipeline.units import say_bytes

NAMES = {
    "mesh": "meshes",
    "skeletons": "skeletons",
    "segment_properties": "segment properties",
    "fragments": "mesh fragments",
    "skeleton_fragments": "skeleton fragments",
}
FORMATS = {
    "neuroglancer_legacy_mesh": "single resolution",
    "neuroglancer_multilod_draco": "multi-resolution",
    "neuroglancer_skeletons": "precomputed",
    "neuroglancer_segment_properties": "precomputed",
    "teravox_fragments": "of mesh forge",
    "teravox_skeleton_fragments": "of skeleton forge",
}


NUMBERS = frozenset({"mip", "chunks", "raw", "shards", "minishards", "done"})  # heads of columns that are numbers


class Table(NamedTuple):
    """Heads, and rows of as many cells."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(seen: Description) -> Iterator[Table]:
    """Every part of the description that has something to say, but the history."""
    heads: tuple[str, ...] = ("mip", "size", "voxel, nm", "offset", "chunk", "encoding", "chunks", "raw")
    yield Table(heads, tuple(map(_mip, seen.mips)))
    sharded = [(mip.mip, mip.shards) for mip in seen.mips if mip.shards is not None]
    if sharded:
        heads = ("mip", "shards", "shape of a shard", "raw", "minishards", "packed")
        yield Table(heads, tuple(_shards(sharded)))
    if seen.parts:
        yield Table(("belongs to it", "folder", "format", "details"), tuple(map(_part, seen.parts)))


def history(seen: Description) -> Iterator[Table]:
    """What was done to the layer, as its provenance and its ledger say."""
    if seen.history:
        yield Table(("what was done", "by version", "date", "by"), tuple(map(_step, seen.history)))
    if seen.jobs:
        yield Table(("job in the ledger", "kind", "done", "state"), tuple(map(_job, seen.jobs)))


def summary(seen: Description) -> Iterator[str]:
    """Where the layer is, and what it holds, line by line."""
    full = seen.mips[0]
    micrometres = " x ".join(f"{n * step / 1000:.4g}" for n, step in zip(full.size, full.resolution, strict=True))
    channels = "1 channel" if seen.num_channels == 1 else f"{seen.num_channels:,} channels"
    yield seen.url
    yield f"{seen.type} of {seen.data_type}, {channels}, {micrometres} µm"
    if seen.jobs is None:
        yield "jobs unknown: the files of a web server cannot be listed"


def _mip(mip: Mip) -> tuple[str, ...]:
    words = " ".join(f"{_vector(v) if isinstance(v, list) else v}" for v in mip.encoding_words.values())
    return (
        str(mip.mip),
        _vector(mip.size),
        _vector(mip.resolution),
        _vector(mip.voxel_offset),
        _vector(mip.chunk),
        f"{mip.encoding} {words}".strip(),
        f"{mip.chunks:,}",
        say_bytes(mip.raw_bytes),
    )


def _shards(sharded: Iterable[tuple[int, Shards]]) -> Iterator[tuple[str, ...]]:
    for mip, shards in sharded:
        yield (
            str(mip),
            "unknown" if shards.count is None else f"{shards.count:,}",
            f"spread by {shards.hash}" if shards.shape is None else _vector(shards.shape),
            "unknown" if shards.raw_bytes is None else say_bytes(shards.raw_bytes),
            f"{shards.minishards:,}",
            shards.data_encoding,
        )


def _part(part: Part) -> tuple[str, ...]:
    format = FORMATS.get(part.type or "", part.type or "unknown")
    return NAMES[part.what], part.key, f"{format}, sharded" if part.is_sharded else format, part.details


def _step(step: Step) -> tuple[str, ...]:
    return step.task, step.version or "unknown", step.date or "unknown", step.by or "unknown"


def _job(job: JobState) -> tuple[str, ...]:
    if job.trouble is not None:
        return job.id[:8], "unknown", "unknown", job.trouble
    done = "unknown" if job.done is None else f"{job.done:,}"
    total = "unknown" if job.total is None else f"{job.total:,}"
    return job.id[:8], job.kind or "unknown", f"{done}/{total}", "finished" if job.finished else "not finished"


def _vector(numbers: Iterable[float]) -> str:
    """Numbers as options are typed: `512,512,64`."""
    return ",".join(f"{number:.6g}" if number % 1 else f"{int(number)}" for number in numbers)
