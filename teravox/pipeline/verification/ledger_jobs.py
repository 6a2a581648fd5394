"""Verifies that the jobs of the ledgers were done to their end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.message import task_id
from teravox.pipeline.verification.finding import Finding, Maker
from teravox.pipeline.verification.known_jobs import KnownJob
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.parts import Part


def find_jobs(look: Look) -> Iterable[Part]:
    """The jobs, if there is any ledger."""
    if look.makers.jobs or look.makers.problems:
        yield Jobs(look)


class Jobs:
    """All jobs of all ledgers."""

    place = "ledger"

    def __init__(self, look: Look) -> None:
        self._look = look

    def steps(self) -> int:
        return len(self._look.makers.jobs)

    def findings(self) -> Iterator[Finding]:
        yield from self._look.makers.problems
        for job in self._look.makers.jobs:
            self._look.step(1)
            self._look.counts["jobs"] += 1
            try:
                done = len(job.ledger.done(None))
            except TeravoxError:  # its files are among the problems
                continue
            key = f"{job.prefix}ledger/{job.id}"
            maker = Maker(job.record.kind, job.id)
            if done < job.record.total:
                if not is_replaced(self._look, job):
                    yield Finding(
                        "incomplete", key, f"{job.record.kind}: {done:,} of {job.record.total:,} pieces are done", maker
                    )
            elif not job.ledger.finished():
                yield Finding("incomplete", key, f"{job.record.kind}: all pieces are done, and its end is not", maker)


def pieces_not_done(job: KnownJob) -> Iterator[Any]:  # Any: kinds differ in their pieces
    """The pieces of a job that no record tells of; TeravoxError where the job cannot be asked."""
    opened = job.open()
    done = job.ledger.done(None)
    for piece in opened.pieces():
        if task_id(job.record.kind, opened, piece) not in done:
            yield piece


def is_replaced(look: Look, job: KnownJob) -> bool:
    """Whether later jobs have written all that this one still had to write, so that it was given up for them."""
    try:
        opened = job.open()
        for piece in pieces_not_done(job):
            keys = [job.prefix + key for key in opened.outputs(piece)]
            writers = look.makers.jobs_of(keys)
            if not keys or any(writer is None or writer.number <= job.number for writer in writers):
                return False
    except TeravoxError:  # it cannot be asked for its pieces
        return False
    return True
