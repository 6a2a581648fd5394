"""A queue in the memory of one process: what a job runs on when no queue was named."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from teravox.pipeline.errors import QueueTrouble
from teravox.pipeline.failure import DeadLetter, Failure
from teravox.pipeline.queues.contract import Counts, Entry, Held, Inserted, Lease, State, WorkerRecord
from teravox.pipeline.queues.steady import steady_time

SPARE = 1_000  # deadlines of tasks that are gone by now, kept before they are swept out


class _Slot:
    """A task that is neither done nor dead; free from `deadline` on."""

    __slots__ = ("attempt", "body", "deadline", "failures", "from_feed", "token")

    def __init__(self, body: bytes, *, from_feed: bool = False) -> None:
        self.body = body
        self.from_feed = from_feed
        self.attempt = 0
        self.deadline = 0.0
        self.token = ""
        self.failures: list[Failure] = []

    def state(self, now: float) -> State:
        if self.deadline <= now:
            return "waiting"
        return "leased" if self.token else "paused"


class MemoryQueue:
    """See contract.py for what it promises; for threads of one process, and gone with it.

    A `feed` brings further tasks when nothing waits, so a job of any length takes little memory. It must bring each
    task once: of its tasks that are done, only the number is kept. `counts` knows what was pulled from it so far.
    """

    def __init__(self, feed: Iterator[Entry] | None = None, clock: Callable[[], float] = steady_time) -> None:
        self.url = "memory://"
        self._clock = clock
        self._feed = feed
        self._feed_trouble = ""
        self._slots: dict[str, _Slot] = {}
        self._free: deque[str] = deque()  # may name tasks that are no longer free
        self._later: list[tuple[float, str]] = []  # deadlines, among them some that were moved since
        self._done: set[str] = set()
        self._done_of_feed = 0
        self._dead: dict[str, DeadLetter] = {}
        self._workers: dict[str, WorkerRecord] = {}
        self._tokens = itertools.count(1)
        self._changed = threading.Condition()  # guards all of the above
        self._is_closed = False

    def __repr__(self) -> str:
        return "MemoryQueue()"

    def insert(self, entries: Iterable[Entry], progress: Callable[[int], None], *, again: bool = False) -> Inserted:
        new = known = 0
        for entry in entries:
            with self._changed:
                if again:
                    self._done.discard(entry.id)
                    self._dead.pop(entry.id, None)
                if self._add(entry):
                    new += 1
                    self._changed.notify()
                else:
                    known += 1
            progress(1)
        return Inserted(new=new, known=known)

    def lease(self, seconds: float, most: int = 1, wait: float = 0.0) -> list[Lease]:
        until = time.monotonic() + wait
        with self._changed:
            while True:
                leases = self._lease_now(seconds, most)
                rest = until - time.monotonic()
                if leases or rest <= 0 or self._is_closed:
                    return leases
                if self._later:
                    rest = min(rest, max(0.001, self._later[0][0] - self._clock()))
                self._changed.wait(rest)

    def renew(self, leases: Sequence[Lease], seconds: float) -> list[Lease | None]:
        with self._changed:
            return [self._renew(lease, seconds) for lease in leases]

    def done(self, leases: Sequence[Lease]) -> list[bool]:
        with self._changed:
            return [self._finish(lease) for lease in leases]

    def withdraw(self, leases: Sequence[Lease]) -> list[bool]:
        with self._changed:
            held = [self._held(lease) is not None for lease in leases]
            for lease in leases:
                if self._held(lease) is not None:
                    del self._slots[lease.id]
            return held

    def release(
        self, lease: Lease, *, pause: float = 0.0, refund: bool = False, failure: Failure | None = None
    ) -> bool:
        with self._changed:
            slot = self._held(lease)
            if slot is None:
                return False
            if refund:
                slot.attempt -= 1
            if failure is not None:
                slot.failures.append(failure)
            self._let_go(lease.id, slot, self._clock() + pause if pause > 0 else 0.0)
            return True

    def fail(self, lease: Lease, failure: Failure) -> bool:
        with self._changed:
            slot = self._held(lease)
            if slot is None:
                return False
            del self._slots[lease.id]
            self._dead[lease.id] = DeadLetter(
                id=lease.id, body=slot.body, attempts=failure.attempt, failures=(*slot.failures, failure)
            )
            return True

    def counts(self) -> Counts:
        with self._changed:
            now = self._clock()
            number: dict[State, int] = dict.fromkeys(("waiting", "paused", "leased"), 0)
            for slot in self._slots.values():
                number[slot.state(now)] += 1
            return Counts(
                waiting=number["waiting"],
                paused=number["paused"],
                leased=number["leased"],
                done=len(self._done) + self._done_of_feed,
                failed=len(self._dead),
                is_exact=True,
            )

    def is_empty(self) -> bool:
        with self._changed:
            return not self._slots and not self._pull()

    def tasks(self) -> Iterator[Held]:
        return (held for held, _ in self.messages())

    def messages(self) -> Iterator[tuple[Held, bytes]]:
        with self._changed:
            now = self._clock()
            holder = next(iter(self._workers), "")  # one process, so one worker
            held = [
                (Held(id, state, slot.attempt, slot.deadline, holder if state == "leased" else ""), slot.body)
                for id, slot in self._slots.items()
                for state in [slot.state(now)]
            ]
        return iter(held)

    def dead(self) -> Iterator[DeadLetter]:
        with self._changed:
            return iter(list(self._dead.values()))

    def retry(self, match: Callable[[DeadLetter], bool]) -> int:
        chosen = [letter for letter in self.dead() if match(letter)]
        with self._changed:
            again = [letter for letter in chosen if self._dead.pop(letter.id, None) is not None]
            for letter in again:
                self._add(Entry(letter.id, letter.body))
            self._changed.notify_all()
        return len(again)

    def release_all(self) -> int:
        with self._changed:
            now = self._clock()
            held = [(id, slot) for id, slot in self._slots.items() if slot.deadline > now]
            for id, slot in held:
                self._let_go(id, slot, 0.0)
            return len(held)

    def purge(self, states: Sequence[State]) -> int:
        with self._changed:
            now = self._clock()
            doomed = [id for id, slot in self._slots.items() if slot.state(now) in states]
            for id in doomed:
                del self._slots[id]
            number = len(doomed)
            if "done" in states:
                number += len(self._done) + self._done_of_feed
                self._done.clear()
                self._done_of_feed = 0
            if "failed" in states:
                number += len(self._dead)
                self._dead.clear()
            return number

    def note_worker(self, record: WorkerRecord) -> None:
        with self._changed:
            self._workers[record.name] = record

    def workers(self) -> list[WorkerRecord]:
        with self._changed:
            return list(self._workers.values())

    def close(self) -> None:
        """Nobody waits for a task any more; leases stay."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _add(self, entry: Entry, *, from_feed: bool = False) -> bool:
        if entry.id in self._slots or entry.id in self._done or entry.id in self._dead:
            return False
        self._slots[entry.id] = _Slot(entry.body, from_feed=from_feed)
        self._free.append(entry.id)
        return True

    def _pull(self) -> bool:
        """One more task out of the feed; False at its end.

        A feed that broke off would look like one that ended, and its job like one that is done: so it says so again
        whenever it is asked.
        """
        if self._feed_trouble:
            raise QueueTrouble(self._feed_trouble)
        while self._feed is not None:
            try:
                entry = next(self._feed)
            except StopIteration:
                self._feed = None
            except Exception as error:
                self._feed_trouble = f"no further tasks of this job could be made: {error}"
                raise QueueTrouble(self._feed_trouble) from error
            else:
                if self._add(entry, from_feed=True):
                    return True
        return False

    def _lease_now(self, seconds: float, most: int) -> list[Lease]:
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            self._free.append(heapq.heappop(self._later)[1])
        leases: list[Lease] = []
        while len(leases) < most and (self._free or self._may_pull(leases)):
            id = self._free.popleft()
            slot = self._slots.get(id)
            if slot is None or slot.deadline > now:
                continue
            slot.attempt += 1
            slot.token = str(next(self._tokens))
            self._set_deadline(id, slot, now + seconds)
            leases.append(Lease(id, slot.body, slot.attempt, slot.deadline, slot.token))
        return leases

    def _may_pull(self, leases: list[Lease]) -> bool:
        """As `_pull`; what was leased already is handed over before a trouble of the feed is."""
        try:
            return self._pull()
        except QueueTrouble:
            if leases:
                return False
            raise

    def _held(self, lease: Lease) -> _Slot | None:
        slot = self._slots.get(lease.id)
        return slot if slot is not None and slot.token == lease.token else None

    def _renew(self, lease: Lease, seconds: float) -> Lease | None:
        slot = self._held(lease)
        if slot is None:
            return None
        self._set_deadline(lease.id, slot, self._clock() + seconds)
        return Lease(lease.id, lease.body, lease.attempt, slot.deadline, lease.token)

    def _finish(self, lease: Lease) -> bool:
        slot = self._held(lease)
        if slot is None:
            return False
        del self._slots[lease.id]
        if slot.from_feed:
            self._done_of_feed += 1
        else:
            self._done.add(lease.id)
        return True

    def _let_go(self, id: str, slot: _Slot, deadline: float) -> None:
        """Nobody holds the task any more; it is free from `deadline` on."""
        slot.token = ""
        self._set_deadline(id, slot, deadline)
        self._changed.notify()

    def _set_deadline(self, id: str, slot: _Slot, deadline: float) -> None:
        slot.deadline = deadline
        if deadline <= 0:
            self._free.append(id)
            return
        heapq.heappush(self._later, (deadline, id))
        if len(self._later) > 2 * len(self._slots) + SPARE:
            self._later = [(slot.deadline, id) for id, slot in self._slots.items() if slot.deadline > 0]
            heapq.heapify(self._later)
