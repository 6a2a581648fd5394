"""The children of a worker: kept at their number, listened to, and ended when they must be."""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from typing import NamedTuple

from teravox.pipeline.errors import Fatal
from teravox.pipeline.failure import Sort
from teravox.pipeline.limits import granted_memory, oom_kills
from teravox.pipeline.queues.contract import Lease
from teravox.pipeline.units import say_bytes, say_seconds
from teravox.pipeline.worker.child import ChildSettings
from teravox.pipeline.worker.children import Child
from teravox.pipeline.worker.leases import LeaseKeeper
from teravox.pipeline.worker.log import Log
from teravox.pipeline.worker.memory import memory_of
from teravox.pipeline.worker.settings import WorkerSettings
from teravox.pipeline.worker.stop import Wake
from teravox.pipeline.worker.wire import Answer

LOOK_EVERY = 0.5  # seconds between two looks at children that run
STILLBORN = 3  # children that die before they are ready, after which none can be started


class Death(NamedTuple):
    """A child died in the middle of a task."""

    lease: Lease
    sort: Sort
    how: str
    text: str


class Crew:
    """All children of one worker."""

    def __init__(self, settings: WorkerSettings, log: Log, wake: Wake) -> None:
        self._settings = settings
        self._log = log
        self._wake = wake
        self._selector = selectors.DefaultSelector()
        self._selector.register(wake, selectors.EVENT_READ)
        self._born = self._stillborn = 0
        self._oom_kills = oom_kills()
        granted, self._source = (settings.memory, "--memory") if settings.memory else granted_memory()
        self._share = granted // settings.processes
        self.children: list[Child] = []
        self.width = settings.processes  # how many may run a task at the same time

    @property
    def running(self) -> int:
        return sum(child.lease is not None for child in self.children)

    @property
    def is_busy(self) -> bool:
        return any(child.lease or child.finishing for child in self.children)

    @property
    def room(self) -> int:
        """How many more tasks could begin now."""
        return min(sum(child.is_free for child in self.children), self.width - self.running)

    def free(self) -> Child | None:
        return next((child for child in self.children if child.is_free), None)

    def fill(self) -> None:
        """Start children until there are as many as were asked for."""
        while len(self.children) < self._settings.processes:
            settings = ChildSettings(
                *(self._settings.plugins, self._settings.allow, self._share, self._source),
                *(self._settings.processes, self._settings.durable),
            )
            self._born += 1
            child = Child(f"process {self._born}", settings)
            self.children.append(child)
            self._selector.register(child.line, selectors.EVENT_READ, child)
            self._selector.register(child.output, selectors.EVENT_READ, child)

    def listen(self, seconds: float) -> Iterator[tuple[Child, Answer | None]]:
        """Wait until something happens; the children that have an answer, or None where they died."""
        for key, _ in self._selector.select(seconds):
            child = key.data
            if child is None:
                self._wake.clear()
            elif child not in self.children:  # died a moment ago, in this very round
                continue
            elif key.fileobj == child.output:
                self._show(child)
            else:
                yield child, child.answer()

    def watch(self, keeper: LeaseKeeper) -> None:
        """Kill what runs too long, needs too much, or works on a lease that was lost."""
        limit = self._settings.task_timeout
        for child in self.children:
            if child.lease is None or child.killed_for:
                continue
            if keeper.is_lost(child.lease.token):
                child.kill("lost")
            elif limit is not None and child.seconds > limit:
                child.kill("hung")
            elif child.seconds > LOOK_EVERY:
                child.peak = max(child.peak, memory_of(child.process.pid))
                if self._settings.memory and child.peak > self._share:
                    child.kill("out of memory")

    def lose(self, child: Child) -> Death | None:
        """Bury a child that died; what that means for the task it had, if it is still ours."""
        self._selector.unregister(child.line)
        if child.output in self._selector.get_map():
            self._selector.unregister(child.output)
        self.children.remove(child)
        how = child.bury()
        if not child.is_ready:
            self._count_stillborn(child, how)
        elif child.lease is None:
            self._log.warning(f"{child.name} ended while it waited ({how}); another one takes its place")
        elif child.killed_for == "lost":
            self._log.warning(f"task {child.lease.id}: its lease was lost, so it was stopped; somebody else does it")
        else:
            self._log.warning(f"{child.name} ended ({how}); another one takes its place")
            sort, text = self._why(child, how)
            return Death(child.lease, sort, how, text)
        return None

    def become_ready(self, child: Child) -> None:
        child.is_ready = True
        self._stillborn = 0

    def dismiss(self) -> list[Lease]:
        """Kill all children; the leases of the tasks that they ran."""
        leases = []
        for child in self.children:
            child.kill("preempted")
            if child.lease is not None:
                leases.append(child.lease)
                child.lease = None
        return leases

    def close(self) -> None:
        """Bury all children, which have been dismissed."""
        for child in self.children:
            child.bury()
        self._selector.close()

    def _show(self, child: Child) -> None:
        for line in child.read_output():
            self._log.info(f"[{child.name}] {line}")
        if child.is_mute:
            self._selector.unregister(child.output)

    def _count_stillborn(self, child: Child, how: str) -> None:
        self._stillborn += 1
        if self._stillborn >= STILLBORN:
            raise Fatal(f"no process can be started ({how}): {' / '.join(list(child.log)[-3:])}")
        self._log.warning(f"{child.name} ended while it started ({how}); another one takes its place")

    def _why(self, child: Child, how: str) -> tuple[Sort, str]:
        held = say_bytes(child.peak)
        seen = f"; it held {held} when last looked at" if child.peak else ""
        if child.killed_for == "hung":
            return "hung", f"it ran longer than {say_seconds(self._settings.task_timeout or 0)} (--task-timeout)"
        if child.killed_for == "out of memory":
            return "out of memory", f"it held {held} and may use {say_bytes(self._share)} ({self._source})"
        if how == "SIGKILL":
            kills = oom_kills()
            if kills > self._oom_kills:
                self._oom_kills = kills
                return "out of memory", f"the kernel killed it for want of memory{seen}"
            return "crashed", f"it was killed by SIGKILL: by hand, or by the kernel for want of memory{seen}"
        words = f", {' or '.join(child.last_words)}" if child.last_words else ""
        return "crashed", f"the process ended by {how} in the middle of the task{words}{seen}"
