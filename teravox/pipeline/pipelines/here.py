"""The tasks of several stages in one queue of this process, brought as they are needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.failure import DeadLetter, Failure
from teravox.pipeline.pipelines.place import Seen
from teravox.pipeline.queues.contract import Entry, Lease
from teravox.pipeline.queues.memory import MemoryQueue
from teravox.pipeline.stages import Stage

LOOK_EVERY = 1.0  # seconds between two looks at what other runs do


class _Feed:
    """The tasks of one stage: those to come, and what became of the others."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self.entries: Iterator[Entry] | None = entries
        self.live = self.done = self.failed = 0
        self.trouble = ""

    def take(self) -> Entry | None:
        """The next task; a stage whose tasks cannot be made ends with that trouble."""
        if self.entries is None:
            return None
        try:
            return next(self.entries)
        except StopIteration:
            self.entries = None
        except TeravoxError as error:
            self.entries, self.trouble = None, str(error)
        return None


class Here(MemoryQueue):
    """A place and its queue: the workers stay while it is open, though nothing may be there to be done for a while.

    A task leaves the queue when its record is safe, so a stage is over when none of its tasks is left.
    """

    is_here = True

    def __init__(self) -> None:
        super().__init__()
        self._feeds: dict[str, _Feed] = {}
        self._turns: deque[_Feed] = deque()  # those that may have more, in turn
        self._owners: dict[str, _Feed] = {}  # of the tasks in the queue
        self._news = False
        self._is_over = False

    def has_old_tasks(self, stage: Stage, *, is_resumed: bool, has_forgotten: bool) -> bool:  # noqa: ARG002 - it begins empty
        return False

    def begin(self, stage: Stage, entries: Iterator[Entry]) -> None:
        feed = _Feed(entries)
        first = feed.take()  # before the queue is held up: the ledger may be long
        with self._changed:
            self._feeds[stage.id] = feed
            if first is not None:
                self._own(first, feed)
                self._turns.append(feed)
            self._changed.notify_all()

    def look(self, stage: Stage, total: int) -> Seen:  # noqa: ARG002 - it is over when nothing is left
        with self._changed:
            feed = self._feeds[stage.id]
            is_over = feed.entries is None and not feed.live
            return Seen(feed.done, feed.failed, is_over, feed.trouble if is_over else "")

    def wait(self) -> None:
        with self._changed:
            if not self._news:
                self._changed.wait(LOOK_EVERY)
            self._news = False

    def end(self) -> None:
        """Nothing more comes: workers may leave when the queue is empty."""
        with self._changed:
            self._is_over = True
            self._news = True
            self._changed.notify_all()

    def drop(self) -> None:
        """Begin no further task."""
        with self._changed:
            self._turns.clear()
            self.purge(["waiting", "paused"])

    def letters(self, stage: Stage) -> Iterator[DeadLetter]:
        """The dead letters of a stage."""
        feed = self._feeds.get(stage.id)
        return (letter for letter in self.dead() if feed is not None and self._owners.get(letter.id) is feed)

    def is_empty(self) -> bool:
        with self._changed:
            return self._is_over and super().is_empty()

    def done(self, leases: Sequence[Lease]) -> list[bool]:
        with self._changed:
            answers = super().done(leases)
            for lease, answer in zip(leases, answers, strict=True):
                if answer:
                    feed = self._owners.pop(lease.id)
                    feed.live -= 1
                    feed.done += 1
                    self._tell(feed)
            return answers

    def fail(self, lease: Lease, failure: Failure) -> bool:
        with self._changed:
            answer = super().fail(lease, failure)
            if answer:
                feed = self._owners[lease.id]
                feed.live -= 1
                feed.failed += 1
                self._tell(feed)
            return answer

    def _tell(self, feed: _Feed) -> None:
        if feed.entries is None and not feed.live:
            self._news = True
            self._changed.notify_all()

    def _pull(self) -> bool:
        while self._turns:
            feed = self._turns.popleft()
            entry = feed.take()
            if entry is None:
                self._tell(feed)
                continue
            self._turns.append(feed)
            if self._own(entry, feed):
                return True
        return False

    def _own(self, entry: Entry, feed: _Feed) -> bool:
        is_new = self._add(entry, from_feed=True)
        if is_new:
            self._owners[entry.id] = feed
            feed.live += 1
        return is_new
