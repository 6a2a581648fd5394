"""Which step waits for which, and which of them are wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.pipelines.pipeline import PipelineStep
from teravox.pipeline.pipelines.variables import did_you_mean


def default_names(names: Sequence[str | None], kinds: Sequence[str]) -> list[str]:
    """A name for each step: its own, or what it does; numbered where that repeats."""
    given = {name for name in names if name is not None}
    repeats = {kind for kind in kinds if sum(n is None and k == kind for n, k in zip(names, kinds, strict=True)) > 1}
    counts: dict[str, int] = {}
    found = []
    for name, kind in zip(names, kinds, strict=True):
        if name is not None:
            found.append(name)
            continue
        made = kind
        while (made == kind and kind in repeats) or made in given:
            counts[kind] = counts.get(kind, 0) + 1
            made = f"{kind} {counts[kind]}"
        found.append(made)
    return found


def sort_steps(steps: Sequence[PipelineStep], path: str) -> tuple[PipelineStep, ...]:
    """The steps in the order of the file, but each after all that it waits for; BadUsage names a circle."""
    waiting = {step.name: step for step in steps}
    ordered: list[PipelineStep] = []
    done: set[str] = set()
    while waiting:
        ready = next((step for step in waiting.values() if done.issuperset(step.after)), None)
        if ready is None:
            circle = " -> ".join(_find_circle(waiting))
            raise BadUsage(f"{path}: these steps wait for each other, so none can begin: {circle}")
        ordered.append(waiting.pop(ready.name))
        done.add(ready.name)
    return tuple(ordered)


def choose_steps(
    steps: Sequence[PipelineStep], only: Collection[str], begin: str | None, until: str | None, redo: Iterable[str]
) -> set[str]:
    """The names of the steps that are wanted; BadUsage names one that is not there."""
    names = [step.name for step in steps]
    options = (("--only", only), ("--from", [begin]), ("--until", [until]), ("--redo", redo))
    for option, said in options:
        for name in said:
            if name is not None and name not in names:
                raise BadUsage(f"{option}: there is no step {name!r}{did_you_mean(name, names)}")
    wanted = set(only) or set(names)
    if begin is not None:
        wanted &= _those_after(steps, begin)
    if until is not None:
        wanted &= _those_before(steps, until)
    if not wanted:
        raise BadUsage("--only, --from and --until together leave no step to be done")
    return wanted


def _those_after(steps: Sequence[PipelineStep], name: str) -> set[str]:
    found = {name}
    for step in steps:  # sorted: each after all that it waits for
        if found.intersection(step.after):
            found.add(step.name)
    return found


def _those_before(steps: Sequence[PipelineStep], name: str) -> set[str]:
    found = {name}
    for step in reversed(steps):
        if step.name in found:
            found.update(step.after)
    return found


def _find_circle(waiting: Mapping[str, PipelineStep]) -> list[str]:
    way = [next(iter(waiting))]
    while True:
        following = next(name for name in waiting[way[-1]].after if name in waiting)
        if following in way:
            return [*way[way.index(following) :], following]
        way.append(following)
