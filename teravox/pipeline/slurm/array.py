"""How large an array of workers is: elements, and the cores and memory of each."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.limits import MIB
from teravox.pipeline.units import say_bytes

MARGIN = 1.2  # a task is given this much more than it expects to need
SUPERVISOR = 150_000_000  # bytes beside those of the tasks, for each of them
STEP = 100  # MiB that memory is rounded up to
USUAL_MOST = 1000  # elements that SLURM allows an array where nobody has set MaxArraySize


class Array(msgspec.Struct, frozen=True, kw_only=True):
    """An array of workers: each element is one, and does as many tasks at a time as it has cores."""

    elements: int
    cores: int  # of an element
    megabytes: int  # MiB for each core
    notes: tuple[str, ...] = ()  # what is otherwise than was asked for, as sentences

    @property
    def at_once(self) -> int:
        """How many tasks are worked on at the same time when all elements run."""
        return self.elements * self.cores


def size_array(*, task_bytes: int, workers: int, cores: int, most_bytes: int | None, most_tasks: int | None) -> Array:
    """The array for `workers` tasks at a time that need `task_bytes` each, `cores` of them in an element.

    BadUsage where an element of at most `most_bytes` has no room for a single task. More workers than `most_tasks` of
    the largest step would only wait.
    """
    megabytes = math.ceil((task_bytes * MARGIN + SUPERVISOR) / MIB / STEP) * STEP
    notes = []
    if most_tasks is not None and workers > max(1, most_tasks):
        notes.append(f"{workers:,} workers are more than the {most_tasks:,} tasks of the largest step, and as many do.")
        workers = max(1, most_tasks)
    fit = cores if most_bytes is None else most_bytes // (megabytes * MIB)
    if fit < 1:
        raise BadUsage(
            f"--max-memory: {say_bytes(most_bytes or 0)} has no room for a task of {say_bytes(task_bytes)}, which is "
            f"given {say_bytes(megabytes * MIB)}: cut smaller pieces (--shape, --memory of the job), or allow more"
        )
    if fit < min(cores, workers):
        notes.append(
            f"--max-memory has room for {fit:,} tasks of {say_bytes(megabytes * MIB)} on a node, so {fit:,} cores "
            f"are asked for there and not {cores:,}."
        )
    cores = min(cores, workers, fit)
    elements = math.ceil(workers / cores)
    if elements > USUAL_MOST:
        notes.append(
            f"The array has {elements:,} elements, and most clusters allow {USUAL_MOST:,} (scontrol show config says it as "
            "MaxArraySize): give more --cpus-per-task, or fewer --workers."
        )
    return Array(elements=elements, cores=cores, megabytes=megabytes, notes=tuple(notes))
