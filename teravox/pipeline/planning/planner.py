"""Plans steps, one after another, each by what those before it will have made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from teravox import __version__
from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.planning.estimate import Estimate
from teravox.pipeline.planning.estimating import Estimator
from teravox.pipeline.planning.foresight import trying
from teravox.pipeline.planning.journeys import find_journeys, layers_of, place_of
from teravox.pipeline.planning.plan_file import PlanFile, PlannedStep
from teravox.pipeline.planning.prices import Bill, Place, Prices, Use, make_bill, rent
from teravox.pipeline.planning.rates import BUILT_IN, Line, Rates
from teravox.pipeline.planning.warnings import find_warnings

if TYPE_CHECKING:
    from teravox.pipeline.planning.sampled import Fit
    from teravox.pipeline.stages import Stage

A_RECORD = 200  # tasks whose records a worker writes into a bucket at once, if that comes before ...
RECORD_SECONDS = 30.0  # ... this time
RENEWAL = 20.0  # seconds between two renewals of a lease, each of which is a request to SQS
QUEUE_REQUESTS = 2.1  # to SQS for each task: a tenth of a batch to send it, one to receive and one to delete it

TakeSample = Callable[["Stage"], "Fit"]


class ToPlan(NamedTuple):
    """A step to be planned; its stages may be known only when the steps are done that it waits for."""

    name: str
    do: str
    make_stages: Callable[[], Sequence[Stage]]
    after: tuple[str, ...] = ()  # their names
    where: str = ""  # what errors begin with


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """With what a plan is made."""

    rates: Rates
    prices: Prices
    workers: int = 1
    memory: int  # bytes that a worker may use
    place: str | None = None  # whose prices; None: by where the layers lie
    region: str | None = None


class _Row(NamedTuple):
    step: PlannedStep
    month: float  # dollars for keeping what it writes


def make_plan(steps: Iterable[ToPlan], means: Means, take_sample: TakeSample | None = None) -> PlanFile:
    """The plan of steps, each behind those that it waits for; nothing is written.

    What a step refuses is raised, if it waits for none.
    """
    rows: list[_Row] = []
    warnings: list[str] = []
    details: dict[str, object] = {}
    with trying():
        planner = _Planner(means, take_sample)
        for step in steps:
            try:
                rows += planner.plan(step, warnings, details)
            except TeravoxError as error:
                if not step.where or str(error).startswith(step.where):
                    raise
                raise type(error)(f"{step.where}{error}") from error
    planned = [row.step for row in rows]
    return PlanFile(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        steps=tuple(planned),
        workers=means.workers,
        memory=max((step.memory for step in planned if step.memory is not None), default=None),
        cpu_seconds=_sum(step.cpu_seconds for step in planned),
        wall_seconds=_sum(step.wall_seconds for step in planned),
        dollars=_sum(step.dollars for step in planned),
        dollars_a_month=None if any(row.step.bytes_out is None for row in rows) else sum(row.month for row in rows),
        place=planner.place,
        warnings=tuple(dict.fromkeys(warnings)),
        details=details,
    )


class _Planner:
    def __init__(self, means: Means, take_sample: TakeSample | None) -> None:
        self._means = means
        self._take_sample = take_sample
        self._estimator = Estimator(means.rates)
        self.place = means.place
        self._is_first = True

    def plan(self, step: ToPlan, warnings: list[str], details: dict[str, object]) -> list[_Row]:
        follows = " and ".join(step.after) or None
        try:
            stages = list(step.make_stages())
        except TeravoxError as error:
            if follows is None:
                raise
            return [_Row(PlannedStep(name=step.name, kind=step.do, why=f"known after {follows} ({error})"), 0.0)]
        rows = []
        for stage in stages:
            rows.append(self._plan_stage(step, stage, follows, warnings, details))
            follows = stage.kind
        return rows

    def _plan_stage(
        self, step: ToPlan, stage: Stage, follows: str | None, warnings: list[str], details: dict[str, object]
    ) -> _Row:
        means = self._means
        place = self._choose_place(stage)
        try:
            stage.job.foresee()
        except TeravoxError:
            if follows is None:
                raise
        fit = None
        if self._take_sample is not None and self._is_first:
            fit = self._take_sample(stage)
        self._is_first = False
        line = means.rates.lines.get(place, Line())
        given = None if fit is None else fit.rate
        estimate = self._estimator.estimate(stage, line, follows=follows, given=given)
        warnings += find_warnings(estimate, memory=means.memory, workers=means.workers)
        if fit is not None:
            details[f"sample of {step.name}"] = fit.say()
        if estimate.rate is not None:
            is_built_in = estimate.rate.source == BUILT_IN
            measured = f", measured {means.rates.measured}" if is_built_in else ""
            details[f"rate of {stage.kind}"] = estimate.rate.source + measured
        journeys = list(find_journeys(layers_of(stage.job), place, means.region, means.prices))
        warnings += [journey.sentence for journey in journeys]
        prices = means.prices.of(place)
        details["prices"] = f"{prices.region}, {prices.date}"
        gib_price = max((journey.gib_price for journey in journeys), default=0.0)
        planned = _row(step.name, estimate, means.workers, prices, gib_price)
        month = rent(planned.bytes_out or 0, prices) if planned.kept else 0.0
        return _Row(planned, month)

    def _choose_place(self, stage: Stage) -> str:
        if self.place is None:
            places = [place_of(url) for url in layers_of(stage.job)]
            self.place = next((place for place in reversed(places) if place != "local"), "local")
        self._means.prices.of(self.place)  # says so if there is none
        return self.place


def _row(name: str, estimate: Estimate, workers: int, prices: Place, gib_price: float) -> PlannedStep:
    reads, writes = estimate.reads, estimate.writes
    bill = _bill(estimate, workers, prices, gib_price)
    step = PlannedStep(
        name=name,
        kind=estimate.stage.kind,
        tasks=estimate.tasks,
        memory=estimate.memory,
        cpu_seconds=estimate.cpu_seconds(workers),
        seconds=estimate.total_seconds(workers),
        longest_seconds=max(estimate.seconds, default=0.0) if estimate.seconds is not None and estimate.tasks else None,
        wall_seconds=estimate.wall_seconds(workers),
        bytes_in=_whole(reads.bytes),
        bytes_out=_whole(writes.bytes),
        requests_in=_whole(reads.requests),
        requests_out=_whole(writes.requests),
        files=_whole(writes.requests),
        kept=estimate.kept,
        exact_in=reads.exact,
        exact_out=writes.exact,
        dollars=None if bill is None else bill.total,
        why=estimate.why,
    )
    open_figures = (step.tasks, step.memory, step.seconds, step.bytes_in, step.bytes_out, step.requests_in)
    return msgspec.structs.replace(step, known=None not in (*open_figures, step.requests_out))


def _bill(estimate: Estimate, workers: int, prices: Place, gib_price: float) -> Bill | None:
    """What a stage costs; None where a part of it is not known."""
    seconds, tasks = estimate.total_seconds(workers), estimate.tasks
    figures = (estimate.reads.bytes, estimate.writes.bytes, estimate.reads.requests, estimate.writes.requests)
    if seconds is None or tasks is None or None in figures:
        return None
    bytes_in, bytes_out, requests_in, requests_out = (figure or 0.0 for figure in figures)
    records = min(float(tasks), tasks / A_RECORD + seconds / RECORD_SECONDS)
    return make_bill(
        Use(
            requests_in=requests_in,
            requests_out=requests_out + records,
            seconds=seconds,
            queue_requests=tasks * QUEUE_REQUESTS + seconds / RENEWAL,
            travelling=bytes_in + bytes_out if gib_price else 0.0,
        ),
        prices,
        gib_price,
    )


def _whole(figure: float | None) -> int | None:
    return None if figure is None else math.ceil(figure - 1e-6)


def _sum(figures: Iterable[float | None]) -> float | None:
    total = 0.0
    for figure in figures:
        if figure is None:
            return None
        total += figure
    return total
