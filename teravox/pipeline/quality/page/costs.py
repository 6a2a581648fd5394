"""The sections of costs: bytes that are stored, and what jobs and tasks took."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from teravox.pipeline.quality.costs import JobCost, TaskCost
from teravox.pipeline.quality.measure import Quality
from teravox.pipeline.quality.page.markup import Markup, Words, element, figure, join, remarks, section, table
from teravox.pipeline.quality.page.plots import strip
from teravox.pipeline.quality.page.say import say_cores, say_count, say_moment, say_share
from teravox.pipeline.units import say_bytes, say_seconds

NAMED = 10  # tasks in a table
STRIPS = 12  # jobs whose course is drawn


def draw_bytes(seen: Quality) -> Markup:
    lead = (
        "How many bytes each mip takes in storage, by a listing, against the raw voxels of the chunks that are there."
    )
    rows = []
    for stored in seen.stored:
        mip = seen.description.mips[stored.mip]
        ratio = stored.ratio
        there = "unknown" if stored.there is None else f"{stored.there:,}"
        rows.append(
            (
                str(stored.mip),
                mip.encoding,
                f"{stored.objects:,}",
                there,
                say_bytes(stored.raw_bytes),
                say_bytes(stored.bytes),
                "unknown" if ratio is None else say_share(ratio),
                "unknown" if not ratio else f"{1 / ratio:,.3g}",
            )
        )
    heads = ("mip", "encoding", "objects", "chunks", "raw", "stored", "stored of raw", "times smaller")
    inside = [table("Storage by mip", heads, rows, heads[2:])] if rows else []
    return section("bytes", "Storage", lead, *inside, remarks(() if rows else seen.absent.get("coverage", ())))


def draw_costs(seen: Quality) -> Markup:
    lead = "What the jobs of this layer took, by the records that each task has left in the ledger."
    jobs = [job for job in seen.jobs if job.tasks]
    told = [*seen.absent.get("costs", ()), *(f"Job {job.id[:8]}: {job.trouble}." for job in seen.jobs if job.trouble)]
    inside: list[Words] = []
    if jobs:
        inside = [
            element("p", _total(jobs)),
            _jobs(jobs),
            _courses(jobs),
            _tasks("The slowest tasks", (task for job in jobs for task in job.slowest), lambda task: task.seconds),
            _tasks("The heaviest tasks", (task for job in jobs for task in job.heaviest), lambda task: task.peak_bytes),
        ]
    return section("costs", "Costs", lead, *inside, remarks(told))


def _total(jobs: list[JobCost]) -> str:
    return (
        f"{say_count(sum(job.tasks for job in jobs), 'task')} of {say_count(len(jobs), 'job')}: "
        f"{say_cores(sum(job.cpu_seconds for job in jobs))} of core time, "
        f"{say_bytes(sum(job.bytes_in for job in jobs))} read, {say_bytes(sum(job.bytes_out for job in jobs))} written."
    )


def _jobs(jobs: list[JobCost]) -> Markup:
    rows = []
    for job in jobs:
        took = "unknown" if job.started is None or job.ended is None else say_seconds(job.ended - job.started)
        rows.append(
            (
                element("code", job.id[:8]),
                job.kind,
                say_moment(job.asked),
                f"{job.tasks:,}/{job.total:,}",
                say_cores(job.cpu_seconds),
                took,
                say_seconds(job.median or 0),
                say_seconds(job.slow or 0),
                say_bytes(job.peak_bytes),
                say_bytes(job.bytes_in),
                say_bytes(job.bytes_out),
            )
        )
    heads = (
        "job",
        "kind",
        "asked, UTC",
        "tasks",
        "core time",
        "from first to last",
        "median task",
        "19 of 20 within",
        "peak memory",
        "read",
        "written",
    )
    return table("Jobs", heads, rows, heads[2:])


def _courses(jobs: list[JobCost]) -> Markup:
    """How many tasks ended when."""
    several = [job for job in jobs if job.tasks > 1 and job.started is not None and job.ended is not None]
    shown = several[-STRIPS:]
    drawn = []
    for job in shown:
        took = say_seconds((job.ended or 0) - (job.started or 0))
        said = f"{job.kind} ({job.id[:8]}): {say_count(job.tasks, 'task')} in {took}"
        drawn.append(figure(strip(job.finished_in, f"Tasks that ended over time, {said}"), said))
    if not drawn:
        return Markup("")
    more = len(several) - len(shown)
    title = "Tasks over time" + (f", of the last {len(shown)} jobs" if more else "")
    lead = element("p", "How many tasks ended in each part of the time, from the first start to the last end.")
    return join([element("h3", title), lead, element("div", *drawn, class_="pictures")])


def _tasks(caption: str, tasks: Iterable[TaskCost], size: Callable[[TaskCost], float]) -> Markup:
    rows = []
    for task in sorted(tasks, key=size, reverse=True)[:NAMED]:
        if task.promised is None:
            promised, share = "unknown", "unknown"
        else:
            promised, share = say_bytes(task.promised), say_share(task.peak_bytes / max(task.promised, 1))
        rows.append(
            (task.kind, task.piece, say_seconds(task.seconds), say_bytes(task.peak_bytes), promised, share, task.host)
        )
    heads = ("kind", "piece", "took", "peak memory", "promised", "of it used", "host")
    return table(caption, heads, rows, heads[2:6])
