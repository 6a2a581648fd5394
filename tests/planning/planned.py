"""What a plan says of a job, and what running it in this process takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from teravox.pipeline.job import AnyJob
from teravox.pipeline.planning.estimate import Estimate
from teravox.pipeline.planning.estimating import Estimator
from teravox.pipeline.planning.foresight import trying
from teravox.pipeline.planning.rates import Line, Rates, read_rates
from teravox.pipeline.registry import Registry
from teravox.pipeline.stages import Stage
from teravox.pipeline.storage.tally import TALLY


class Done(NamedTuple):
    """What all pieces of a job took together."""

    tasks: int
    bytes_in: int
    bytes_out: int
    requests_in: int
    requests_out: int


def make_job(kind: str, **options: Any) -> AnyJob:  # Any: what the kind's fields are
    found = Registry().find(kind)
    assert found is not None
    return msgspec.convert(options, found)


def plan(kind: str, job: AnyJob, rates: Rates | None = None, follows: str | None = None) -> Estimate:
    """The figures of a job before it is done, with nothing written."""
    with trying():
        job.foresee()
        return Estimator(rates or read_rates()).estimate(Stage(kind, job), Line(), follows=follows)


def do(job: AnyJob) -> Done:
    """Do a job, and finish it."""
    job.prepare()
    pieces = job.pieces()
    done = Done(len(pieces), 0, 0, 0, 0)
    for piece in pieces:
        TALLY.begin(job.home())
        try:
            job.run(piece)
        finally:
            one = TALLY.end()
        done = Done(
            done.tasks,
            done.bytes_in + one.bytes_in,
            done.bytes_out + one.bytes_out,
            done.requests_in + one.requests_in,
            done.requests_out + one.requests_out,
        )
    job.finish()
    return done
