"""The memory queue's feed, and the clock of the queues that keep one of their own."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from queues.subject import PATIENCE, entry, failure, put

from teravox.pipeline.errors import QueueTrouble
from teravox.pipeline.queues.contract import Entry, Inserted, Lease
from teravox.pipeline.queues.memory import MemoryQueue
from teravox.pipeline.queues.steady import steady_time


class Feed:
    """Tasks that are made when they are wanted."""

    def __init__(self, number: int, *, breaks: bool = False) -> None:
        self._number = number
        self._breaks = breaks
        self.made = 0

    def __iter__(self) -> Iterator[Entry]:
        for n in range(self._number):
            self.made += 1
            yield entry(n)
        if self._breaks:
            raise OSError("the table of labels is gone")


def test_a_feed_gives_all_its_tasks_once() -> None:
    queue = MemoryQueue(iter(Feed(100)))
    ids = []
    while leases := queue.lease(60.0, 7):
        ids += [lease.id for lease in leases]
        assert queue.done(leases) == [True] * len(leases)
    assert ids == [entry(n).id for n in range(100)]
    assert queue.counts().done == 100


def test_no_task_is_made_before_it_is_wanted() -> None:
    feed = Feed(1_000)
    queue = MemoryQueue(iter(feed))
    assert feed.made == 0
    for wanted in (3, 6, 9):
        queue.done(queue.lease(60.0, 3))
        assert feed.made == wanted


def test_a_task_given_back_goes_before_a_new_one() -> None:
    feed = Feed(10)
    queue = MemoryQueue(iter(feed))
    (lease,) = queue.lease(60.0)
    assert queue.release(lease)
    assert [again.id for again in queue.lease(60.0)] == [lease.id]
    assert feed.made == 1


def test_a_queue_is_empty_only_when_its_feed_has_ended() -> None:
    queue = MemoryQueue(iter(Feed(2)))
    for _ in range(2):
        assert not queue.is_empty()
        assert queue.done(queue.lease(60.0)) == [True]
    assert queue.is_empty()


def test_counts_know_what_was_pulled_so_far() -> None:
    queue = MemoryQueue(iter(Feed(10)))
    assert queue.counts().waiting == 0
    finished, dead, _ = queue.lease(60.0, 3)
    assert queue.done([finished]) == [True]
    assert queue.fail(dead, failure())
    counts = queue.counts()
    assert (counts.waiting, counts.leased, counts.done, counts.failed) == (0, 1, 1, 1)


def test_a_feed_that_breaks_off_is_not_one_that_ended() -> None:
    queue = MemoryQueue(iter(Feed(3, breaks=True)))
    leases = queue.lease(60.0, 10)
    assert len(leases) == 3
    assert queue.done(leases) == [True] * 3
    for ask in (lambda: queue.lease(60.0), queue.is_empty, lambda: queue.lease(60.0), queue.is_empty):
        with pytest.raises(QueueTrouble, match="no further tasks of this job could be made: the table of labels"):
            ask()


def test_a_done_task_leaves_nothing_but_a_number_or_its_id() -> None:
    queue = MemoryQueue(iter(Feed(50)))
    put(queue, [entry(99)])
    while leases := queue.lease(60.0, 10):
        queue.done(leases)
    assert queue.insert([entry(99)], lambda _: None) == Inserted(new=0, known=1)
    assert queue.purge(["done"]) == 51
    assert queue.counts().done == 0


def test_a_job_of_any_length_takes_the_memory_of_a_short_one() -> None:
    queue = MemoryQueue(iter(Feed(20_000)))
    tracemalloc.start()
    try:
        most = {}
        for done in range(0, 20_000, 10):
            leases = queue.lease(60.0, 10)
            queue.done([lease for lease in queue.renew(leases, 60.0) if lease is not None])
            most[done >= 5_000] = tracemalloc.get_traced_memory()[0]
            del leases
    finally:
        tracemalloc.stop()
    assert queue.counts().done == 20_000
    assert most[True] < 1.5 * most[False]


def test_by_its_own_clock_a_lease_runs_out_and_a_waiting_lease_gets_it() -> None:
    queue = MemoryQueue(iter(Feed(1)))
    began = time.monotonic()
    (lease,) = queue.lease(0.2)
    came: list[Lease] = []
    waiter = threading.Thread(target=lambda: came.extend(queue.lease(60.0, 1, wait=10 * PATIENCE)), daemon=True)
    waiter.start()
    waiter.join(PATIENCE)
    assert [(again.id, again.attempt) for again in came] == [(lease.id, 2)]
    assert time.monotonic() - began >= 0.2
    assert queue.done([lease]) == [False]


def test_steady_time_is_unix_time() -> None:
    first = steady_time()
    assert abs(first - time.time()) < 60
    assert steady_time() >= first
