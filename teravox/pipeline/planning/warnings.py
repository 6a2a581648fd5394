"""What somebody should know before a job is begun."""

from __future__ import annotations

import math
from collections.abc import Iterator

from teravox.pipeline.layers.encoding import PACKED_WELL
from teravox.pipeline.planning.estimate import Estimate
from teravox.pipeline.planning.traffic import Chunks, Traffic
from teravox.pipeline.units import say_bytes

TWICE = 1.3  # times that a chunk is read, from which on it is said
LONG = 60.0  # seconds, that are worth being shared
MANY_FILES = 1_000_000
MANY_FOR_A_TASK = 10_000


def find_warnings(estimate: Estimate, *, memory: int, workers: int) -> Iterator[str]:
    """Sentences about a stage; each worker may use so many bytes of memory."""
    kind, counter = estimate.stage.kind, estimate.counter
    if estimate.often >= TWICE:
        yield (
            f"{kind}: its pieces reach into chunks that others read too, so each chunk is fetched {estimate.often:.1f} times. "
            "Larger pieces (--shape, --memory), or a --shape that is a multiple of the chunks, fetch less"
        )
    if counter.missing:
        yield (
            f"{kind}: {counter.missing:,} of {counter.chunks_read:,} chunks that were looked for are not there; it needs "
            "--fill-missing, or what should have written them"
        )
    if estimate.memory is not None and estimate.memory > memory:
        yield (
            f"{kind}: a task needs {say_bytes(estimate.memory)}, and a worker may use {say_bytes(memory)}. "
            "Give it smaller pieces (--memory, --shape), or workers more memory (--memory-per-worker)"
        )
    files = estimate.writes.requests
    if files is not None and files > MANY_FILES:
        yield f"{kind}: it writes {files:,.0f} files. {_fewer_files(estimate)} make fewer"
    elif files is not None and estimate.tasks and files / estimate.tasks > MANY_FOR_A_TASK:
        yield f"{kind}: each task writes {files / estimate.tasks:,.0f} files. {_fewer_files(estimate)} make fewer"
    if estimate.tasks and estimate.tasks < workers and (estimate.total_seconds(1) or 0.0) > LONG:
        tasks = "is 1 task" if estimate.tasks == 1 else f"are {estimate.tasks:,} tasks"
        yield f"{kind}: there {tasks} for {workers:,} workers. Smaller pieces (--shape, --memory) keep all of them busy"
    yield from _of_destination(estimate, memory)


def _fewer_files(estimate: Estimate) -> str:
    """What would make fewer files."""
    traffic = _first_traffic(estimate)
    parts = traffic.writes if traffic is not None else ()
    if any(isinstance(part, Chunks) and part.layer.scale(part.mip).sharding is None for part in parts):
        return "Shards (--sharded), or larger chunks,"
    return "Larger pieces (--shape, --memory)"


def _of_destination(estimate: Estimate, memory: int) -> Iterator[str]:
    traffic = _first_traffic(estimate)
    said = set()
    for part in traffic.writes if traffic is not None else ():
        if not isinstance(part, Chunks):
            continue
        scale = part.layer.scale(part.mip)
        place = part.layer.place(part.mip)
        if scale.sharding is None and part.compress is None and not part.copied and scale.encoding in PACKED_WELL:
            said.add(
                f"{estimate.stage.kind}: chunks of {part.layer.url} will be {scale.encoding} without compression; "
                "--compress gzip takes a fraction of the space"
            )
        if scale.sharding is not None:
            voxel = part.layer.info.itemsize * part.layer.info.num_channels
            shard = math.prod(map(min, part.layer.unit(part.mip), scale.size)) * voxel
            if shard > memory:
                said.add(
                    f"{estimate.stage.kind}: a shard of {place} holds {say_bytes(shard)} of voxels, and a worker may use "
                    f"{say_bytes(memory)}. Give it less --memory, so that shards become smaller"
                )
    yield from sorted(said)


def _first_traffic(estimate: Estimate) -> Traffic | None:
    if not estimate.tasks or not estimate.looked_at:
        return None
    traffic: Traffic | None = (
        None if estimate.writes.bytes is None else estimate.stage.job.traffic(estimate.stage.job.pieces()[0])
    )
    return traffic
