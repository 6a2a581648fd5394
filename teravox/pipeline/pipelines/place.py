"""Where the tasks of a stage are done: what the driver needs to know of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.stages import Stage


class Seen(NamedTuple):
    """How far a stage is; `trouble` is a sentence that ends it."""

    done: int
    failed: int = 0
    is_over: bool = False
    trouble: str = ""


class Place(Protocol):
    """A queue with workers, of this process or elsewhere."""

    is_here: bool

    def has_old_tasks(self, stage: Stage, *, is_resumed: bool, has_forgotten: bool) -> bool:
        """Whether to wait for tasks that an earlier run has inserted.

        After its records were forgotten, since their input may be the old one; and on a queue that does not know tasks
        again, since they would be done twice.
        """

    def begin(self, stage: Stage, entries: Iterator[Entry]) -> None:
        """Take the tasks that are to be done; those that are there already stay."""

    def look(self, stage: Stage, total: int) -> Seen:
        """How far a stage is that was begun."""

    def wait(self) -> None:
        """Wait until something may have changed."""
