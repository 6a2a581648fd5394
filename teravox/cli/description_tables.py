"""The description of a layer as tables, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from teravox.cli.description import Description, JobState, Mip, Part, Shards, Step
from teravox.cli.say import plain
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from rich.console import RenderableType

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


def tables(seen: Description) -> Iterator[RenderableType]:
    """Every part of the description that has something to say."""
    from rich.text import Text

    yield Text("\n".join(map(plain, _summary(seen))))
    yield _table(("mip", "size", "voxel, nm", "offset", "chunk", "encoding", "chunks", "raw"), map(_mip, seen.mips))
    sharded = [(mip.mip, mip.shards) for mip in seen.mips if mip.shards is not None]
    if sharded:
        yield _table(("mip", "shards", "shape of a shard", "raw", "minishards", "packed"), _shards(sharded))
    if seen.parts:
        yield _table(("belongs to it", "folder", "format", "details"), map(_part, seen.parts))
    if seen.history:
        yield _table(("what was done", "by version", "date", "by"), map(_step, seen.history))
    if seen.jobs:
        yield _table(("job in the ledger", "kind", "done", "state"), map(_job, seen.jobs))


def _summary(seen: Description) -> Iterator[str]:
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


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    numbers = {"mip", "chunks", "raw", "shards", "minishards", "done"}
    for head in heads:
        table.add_column(head, justify="right" if head in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    return table
