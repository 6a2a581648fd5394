"""A place where tasks are done in this process, at once, and recorded as workers do; and drivers that use it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from teravox import __version__
from teravox.cli.catalog import Catalog
from teravox.cli.pipeline_steps import open_steps
from teravox.pipeline.ledger import Record
from teravox.pipeline.message import decode
from teravox.pipeline.pipelines.claim import Claims
from teravox.pipeline.pipelines.drive import Driver
from teravox.pipeline.pipelines.place import Seen
from teravox.pipeline.pipelines.read import read_pipeline
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.registry import Registry
from teravox.pipeline.stages import Stage


class AtOnce:
    """Does one task at each look at its stage, and notes what was done in which order."""

    is_here = True

    def __init__(self, registry: Registry, log: list[str]) -> None:
        self._registry = registry
        self._log = log
        self._left: dict[str, Iterator[Entry]] = {}
        self._done: dict[str, int] = {}

    def has_old_tasks(self, stage: Stage, *, is_resumed: bool, has_forgotten: bool) -> bool:
        return False

    def begin(self, stage: Stage, entries: Iterator[Entry]) -> None:
        self._left[stage.id], self._done[stage.id] = entries, 0

    def look(self, stage: Stage, total: int) -> Seen:
        entry = next(self._left[stage.id], None)
        if entry is None:
            return Seen(self._done[stage.id], is_over=True)
        self._do(stage, entry)
        return Seen(self._done[stage.id])

    def wait(self) -> None:
        """Nobody else changes anything."""

    def _do(self, stage: Stage, entry: Entry) -> None:
        task = decode(entry.body, self._registry)
        began = time.time()
        task.job.run(task.piece)
        writer = stage.ledger.writer("tester")
        writer.add(_record(task.id, task.piece, began))
        writer.flush()
        self._done[stage.id] += 1
        self._log.append(stage.job.home().rpartition("/")[2])


class Still(Claims):
    """Claims without a thread that renews them: a driver that a test abandons is as good as dead."""

    def _begin_to_beat(self) -> None:
        pass


class Bench:
    """Makes drivers of pipeline files, all with one log of what was done."""

    def __init__(self, *plugins: str) -> None:
        self.registry = Registry(plugins)
        self.catalog = Catalog(self.registry)
        self.log: list[str] = []
        self.now = 0.0  # what the drivers' claims take for the time

    def driver(self, path: str, settings: Mapping[str, str] = {}, **more: Any) -> Driver:  # the driver's own options
        pipeline = read_pipeline(path, settings)
        works = open_steps(pipeline, self.catalog, self.registry)
        said: dict[str, Any] = {"redo": set(), "command": "", "agreed": lambda _name, _question: True}
        said |= {"wanted": {step.name for step in pipeline.steps}, "claims": Still(lambda: self.now)}
        return Driver(works, AtOnce(self.registry, self.log), **{**said, **more})

    def run(self, path: str, settings: Mapping[str, str] = {}, **more: Any) -> Driver:
        """Drive to the end; what was done is in the log."""
        driver = self.driver(path, settings, **more)
        drive(driver)
        return driver


def drive(driver: Driver, until: Callable[[], bool] = lambda: False) -> None:
    """Advance until all is over."""
    for _ in itertools.takewhile(lambda _: not until(), range(10_000)):
        if not driver.advance():
            driver.close()
            return
    raise AssertionError("it does not end")


def _record(id: str, piece: Any, began: float) -> Record:
    import msgspec

    return Record(
        id=id,
        piece=msgspec.to_builtins(piece),
        version=__version__,
        host="here",
        worker="tester",
        attempt=1,
        started=began,
        seconds=time.time() - began,
        cpu_seconds=0.5,
        peak_bytes=1000,
        bytes_in=10,
        bytes_out=20,
        outputs={},
    )
