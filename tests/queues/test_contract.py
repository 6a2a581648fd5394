"""Every queue keeps every promise of contract.py; the differences it names are the flags of `Subject`."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from queues.subject import PATIENCE, Subject, entry, failure, put

from teravox.pipeline.errors import BadMessage, CannotSay
from teravox.pipeline.queues.contract import Counts, Entry, Inserted, Lease, Queue, State, WorkerRecord

SHORT = 1.0  # seconds: the shortest lease that every queue can tell from none

IN_QUEUE: tuple[State, ...] = ("waiting", "paused", "leased")


@pytest.fixture
def queue(subject: Subject) -> Queue:
    return subject.open()


@pytest.fixture
def other(subject: Subject) -> Queue:
    """The same queue, as another worker sees it."""
    return subject.open()


@pytest.fixture
def stale(subject: Subject, queue: Queue, other: Queue) -> tuple[Lease, Lease]:
    """A lease that ran out, and the one that somebody else has now."""
    put(queue, [entry(0)])
    return subject.take_one(queue, SHORT), subject.take_one(other)


def is_gone(queue: Queue) -> bool:
    return queue.lease(60.0) == []


def number_in_queue(counts: Counts) -> int:
    return counts.waiting + counts.paused + counts.leased


# insert


def test_tasks_are_delivered_as_they_were_inserted(subject: Subject, queue: Queue, other: Queue) -> None:
    entries = [entry(n) for n in range(23)]
    assert queue.insert(iter(entries), lambda _: None) == Inserted(new=23, known=0)
    leases = subject.take(other, 23)
    assert {(lease.id, lease.body) for lease in leases} == {(each.id, each.body) for each in entries}


def test_progress_adds_up_to_all_tasks(queue: Queue) -> None:
    steps: list[int] = []
    queue.insert((entry(n) for n in range(23)), steps.append)
    assert sum(steps) == 23
    assert min(steps) > 0


def test_an_insert_of_nothing_adds_nothing(queue: Queue) -> None:
    steps: list[int] = []
    assert queue.insert([], steps.append) == Inserted(new=0, known=0)
    assert steps == []
    assert queue.is_empty()


def test_tasks_are_read_no_faster_than_they_are_stored(queue: Queue) -> None:
    read = stored = ahead = 0

    def entries() -> Iterator[Entry]:
        nonlocal read, ahead
        for n in range(600):
            read += 1
            ahead = max(ahead, read - stored)
            yield entry(n)

    def progress(number: int) -> None:
        nonlocal stored
        stored += number

    queue.insert(entries(), progress)
    assert stored == 600
    assert ahead <= 200


def test_tasks_that_cannot_be_made_end_the_insert_and_the_others_are_there(subject: Subject, queue: Queue) -> None:
    def entries() -> Iterator[Entry]:
        yield from (entry(n) for n in range(25))
        raise BadMessage("too big")

    steps: list[int] = []
    with pytest.raises(BadMessage, match="too big"):
        queue.insert(entries(), steps.append)
    stored = sum(steps)
    assert 20 <= stored <= 25
    assert len({lease.id for lease in subject.take(queue, stored)}) == stored


@pytest.mark.parametrize("state", ["waiting", "leased", "paused", "done", "failed"])
def test_a_task_in_any_state_is_not_added_again(subject: Subject, queue: Queue, other: Queue, state: State) -> None:
    put(queue, [entry(0)])
    if state != "waiting":
        lease = subject.take_one(queue)
        if state == "paused":
            assert queue.release(lease, pause=60)
        if state == "done":
            assert queue.done([lease]) == [True]
        if state == "failed":
            assert queue.fail(lease, failure())
    again = other.insert([entry(0)], lambda _: None)
    if subject.knows_tasks_again:
        assert again == Inserted(new=0, known=1)
        assert number_in_queue(queue.counts()) == (1 if state in IN_QUEUE else 0)
    else:
        assert again == Inserted(new=1, known=0)


@pytest.mark.parametrize("state", ["waiting", "leased", "paused", "done", "failed"])
def test_a_task_that_has_ended_is_added_again_if_that_is_asked_for(
    subject: Subject, queue: Queue, other: Queue, state: State
) -> None:
    put(queue, [entry(0)])
    if state != "waiting":
        lease = subject.take_one(queue)
        if state == "paused":
            assert queue.release(lease, pause=60)
        if state == "done":
            assert queue.done([lease]) == [True]
        if state == "failed":
            assert queue.fail(lease, failure())
    again = other.insert([entry(0), entry(1)], lambda _: None, again=True)
    if state in IN_QUEUE:
        assert again == (Inserted(new=1, known=1) if subject.knows_tasks_again else Inserted(new=2, known=0))
        assert number_in_queue(queue.counts()) == (2 if subject.knows_tasks_again else 3)
        return
    assert again == Inserted(new=2, known=0)
    counts = queue.counts()
    assert (counts.waiting, counts.done or 0, counts.failed) == (2, 0, 0)
    assert list(queue.dead()) == []
    leases = {lease.id: lease for lease in subject.take(queue, 2)}
    assert leases[entry(0).id].attempt == 1
    assert leases[entry(0).id].body == entry(0).body
    assert queue.fail(leases[entry(0).id], failure(error="KeyError"))
    (letter,) = other.dead()
    assert [each.error for each in letter.failures] == ["KeyError"]


def test_dead_letters_of_other_tasks_stay_where_they_are(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0), entry(1)])
    for lease in subject.take(queue, 2):
        assert queue.fail(lease, failure())
    assert other.insert([entry(1)], lambda _: None, again=True).new == 1
    assert [letter.id for letter in queue.dead()] == [entry(0).id]


def test_two_submitters_at_once_lose_nothing(subject: Subject, queue: Queue, other: Queue) -> None:
    entries = [entry(n) for n in range(60)]
    submitters = [threading.Thread(target=put, args=(each, entries)) for each in (queue, other)]
    for submitter in submitters:
        submitter.start()
    for submitter in submitters:
        submitter.join()
    number = 60 if subject.knows_tasks_again else 120
    copies = collections.Counter(lease.id for lease in subject.take(queue, number))
    assert copies == dict.fromkeys((each.id for each in entries), number // 60)
    assert is_gone(queue)


# lease


def test_the_first_lease_is_attempt_one_and_each_lease_counts(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0)])
    for attempt in (1, 2, 3):
        lease = subject.take_one(other)
        assert lease.attempt == attempt
        assert other.release(lease)


def test_a_leased_task_is_given_to_nobody_else(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0)])
    subject.take_one(queue)
    assert is_gone(other)
    assert is_gone(queue)


def test_an_empty_queue_gives_an_empty_list(queue: Queue) -> None:
    assert queue.lease(60.0, 10) == []


def test_no_more_tasks_are_leased_than_were_asked_for(queue: Queue) -> None:
    put(queue, [entry(n) for n in range(30)])
    for most in (1, 4, 10, 25):
        assert 0 < len(queue.lease(0.0 if most < 25 else 60.0, most)) <= most


def test_tokens_are_never_used_twice(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(n) for n in range(5)])
    tokens = set()
    for view in (queue, other, queue):
        leases = subject.take(view, 5)
        tokens |= {lease.token for lease in leases}
        assert all(view.release(lease) for lease in leases)
    assert len(tokens) == 15


def test_a_lease_that_waits_gets_what_comes_meanwhile(queue: Queue, other: Queue) -> None:
    came: list[Lease] = []
    waiter = threading.Thread(target=lambda: came.extend(queue.lease(60.0, 1, wait=3.0)))
    waiter.start()
    put(other, [entry(0)])
    waiter.join(PATIENCE)
    assert [lease.id for lease in came] == [entry(0).id]


def test_close_ends_a_lease_that_waits(queue: Queue) -> None:
    came: list[list[Lease]] = []
    waiter = threading.Thread(target=lambda: came.append(queue.lease(60.0, 1, wait=2 * PATIENCE)), daemon=True)
    waiter.start()
    queue.close()
    waiter.join(PATIENCE / 4)  # less than SQS waits by itself
    assert came == [[]]


def test_a_lease_can_be_given_back_after_close(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0)])
    lease = subject.take_one(queue)
    queue.close()
    assert queue.release(lease)
    assert subject.take_one(other).id == lease.id


def test_eight_threads_get_each_task_once(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(n) for n in range(100)])
    came: list[str] = []
    deadline = time.monotonic() + PATIENCE

    def work(view: Queue, most: int) -> None:
        while len(came) < 100 and time.monotonic() < deadline:
            leases = view.lease(120.0, most)
            came.extend(lease.id for lease in leases)
            assert view.done(leases) == [True] * len(leases)

    workers = [threading.Thread(target=work, args=(subject.open(), 1 + n % 3)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(came) == sorted(entry(n).id for n in range(100))
    assert queue.is_empty()


def test_a_task_whose_holder_was_killed_is_free_again_and_an_attempt_older(stale: tuple[Lease, Lease]) -> None:
    killed, new = stale
    assert (new.id, new.body) == (killed.id, killed.body)
    assert (killed.attempt, new.attempt) == (1, 2)
    assert new.token != killed.token


def test_a_lease_does_not_run_out_early(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0)])
    before = time.monotonic()
    lease = subject.take_one(queue, 2.0)
    ticks = 0
    while other.lease(60.0) == []:
        subject.tick()
        ticks += 1
        assert time.monotonic() - before < PATIENCE
    assert time.monotonic() - before >= 2.0 or ticks >= 4  # the memory queue's clock goes half a second a tick
    assert lease.attempt == 1


# renew


def test_a_renewed_lease_outlives_one_that_is_not(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0), entry(1)])
    kept, left = subject.take(queue, 2, 2 * SHORT)
    (renewed,) = queue.renew([kept], 60.0)
    assert renewed is not None
    assert subject.take_one(other).id == left.id
    assert is_gone(other)
    assert queue.done([renewed]) == [True]


def test_renewing_keeps_the_token_and_moves_the_deadline_and_may_be_repeated(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(0)])
    lease = subject.take_one(queue)
    for seconds in (120.0, 240.0):
        (renewed,) = queue.renew([lease], seconds)
        assert renewed is not None
        assert (renewed.id, renewed.body, renewed.attempt) == (lease.id, lease.body, lease.attempt)
        assert renewed.token == lease.token
        assert renewed.deadline > lease.deadline + 30
        lease = renewed


def test_answers_come_in_the_order_of_the_leases(subject: Subject, queue: Queue, stale: tuple[Lease, Lease]) -> None:
    lost, held = stale
    put(queue, [entry(1)])
    mine = subject.take_one(queue)
    renewed = queue.renew([lost, held, lost, mine], 60.0)
    assert [lease and lease.token for lease in renewed] == [None, held.token, None, mine.token]
    assert queue.done([mine if renewed[3] is None else renewed[3], lost]) == [True, False]


def test_many_leases_are_renewed_and_done_in_one_call(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(n) for n in range(25)])
    leases = subject.take(queue, 25)
    renewed = [lease for lease in queue.renew(leases, 60.0) if lease is not None]
    assert [lease.token for lease in renewed] == [lease.token for lease in leases]
    assert queue.done(renewed) == [True] * 25
    assert queue.is_empty()


def test_calls_about_no_lease_do_nothing(queue: Queue) -> None:
    assert queue.renew([], 60.0) == []
    assert queue.done([]) == []


# fencing

ENDS: dict[str, Callable[[Queue, Lease], object]] = {
    "renew": lambda queue, lease: queue.renew([lease], 60.0) != [None],
    "done": lambda queue, lease: queue.done([lease]) != [False],
    "release": lambda queue, lease: queue.release(lease),
    "release with a pause": lambda queue, lease: queue.release(lease, pause=30.0, refund=True, failure=failure()),
    "fail": lambda queue, lease: queue.fail(lease, failure()),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_stale_holder_is_refused_and_changes_nothing(
    queue: Queue, other: Queue, stale: tuple[Lease, Lease], end: str
) -> None:
    lost, held = stale
    assert not ENDS[end](queue, lost)
    assert is_gone(queue)
    assert list(queue.dead()) == []
    assert other.done([held]) == [True]
    assert queue.is_empty()


@pytest.mark.parametrize("end", ENDS)
def test_a_lease_that_was_given_back_is_lost(subject: Subject, queue: Queue, end: str) -> None:
    put(queue, [entry(0)])
    lease = subject.take_one(queue)
    assert queue.release(lease)
    assert not ENDS[end](queue, lease)
    assert list(queue.dead()) == []
    assert subject.take_one(queue).id == lease.id


@pytest.mark.parametrize("end", ["renew", "done", "fail"])
def test_a_lease_whose_task_was_purged_is_lost(subject: Subject, queue: Queue, other: Queue, end: str) -> None:
    put(queue, [entry(0)])
    lease = subject.take_one(queue)
    other.purge(IN_QUEUE)
    if end != "done" or subject.counts_exactly:  # SQS may say yes to a delete of nothing
        assert not ENDS[end](queue, lease)
    assert list(queue.dead()) == []
    assert queue.is_empty()


def test_a_lease_of_one_view_is_ended_by_another(subject: Subject, queue: Queue, other: Queue) -> None:
    """The token is all that it takes to be the holder."""
    put(queue, [entry(0)])
    assert other.done([subject.take_one(queue)]) == [True]
    assert queue.is_empty()


def test_a_done_task_is_done_once(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(0)])
    lease = subject.take_one(queue)
    assert queue.done([lease]) == [True]
    assert queue.done([lease]) == [False]
    assert queue.is_empty()


# release


def test_a_released_task_is_free_at_once(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0)])
    lease = subject.take_one(queue)
    assert queue.release(lease)
    assert [again.id for again in other.lease(60.0)] == [lease.id]


def test_a_task_released_with_a_pause_is_free_after_it(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0)])
    assert queue.release(subject.take_one(queue), pause=2.0)
    assert is_gone(other)
    assert subject.take_one(other).attempt == 2


def test_a_refunded_attempt_does_not_count(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(0)])
    assert queue.release(subject.take_one(queue), refund=True)
    assert subject.take_one(queue).attempt == (1 if subject.takes_attempts_back else 2)


def test_what_earlier_attempts_left_is_in_the_dead_letter(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(0)])
    reports = [failure(1, text="first"), failure(2, text="second"), failure(3, text="third")]
    for report in reports[:-1]:
        assert queue.release(subject.take_one(queue), failure=report)
    assert queue.fail(subject.take_one(queue), reports[-1])
    (letter,) = queue.dead()
    assert letter.failures == tuple(reports if subject.keeps_failures else reports[-1:])
    assert letter.attempts == 3


# fail, dead, retry


def test_a_task_that_failed_is_a_dead_letter_with_its_report(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0), entry(1)])
    lease, kept = subject.take(queue, 2)
    assert queue.fail(lease, failure())
    (letter,) = other.dead()
    assert (letter.id, letter.body, letter.attempts, letter.failures) == (lease.id, lease.body, 1, (failure(),))
    assert is_gone(other)
    assert queue.done([kept]) == [True]
    assert other.is_empty()


def test_looking_at_dead_letters_changes_nothing(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(n) for n in range(12)])
    for lease in subject.take(queue, 12):
        assert queue.fail(lease, failure())
    first = sorted(queue.dead(), key=lambda letter: letter.id)
    second = sorted(other.dead(), key=lambda letter: letter.id)
    assert [letter.id for letter in first] == sorted(entry(n).id for n in range(12))
    assert first == second


def test_looking_at_a_queue_counts_no_attempt(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(0)])
    for _ in range(3):
        other.counts()
        other.is_empty()
        other.workers()
        assert list(other.dead()) == []
    assert subject.take_one(queue).attempt == 1


def test_retry_puts_the_matching_letters_back_as_new(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(n) for n in range(12)])
    for lease in subject.take(queue, 12):
        assert queue.fail(lease, failure())
    chosen = {entry(n).id for n in range(11)}
    assert other.retry(lambda letter: letter.id in chosen) == 11
    leases = subject.take(queue, 11)
    assert {lease.id for lease in leases} == chosen
    assert {lease.body for lease in leases} == {entry(n).body for n in range(11)}
    assert {lease.attempt for lease in leases} == {1}
    assert [letter.id for letter in queue.dead()] == [entry(11).id]
    assert other.retry(lambda letter: letter.id in chosen) == 0


def test_retry_forgets_the_failures_before_it(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(0)])
    assert queue.release(subject.take_one(queue), failure=failure(1, text="before"))
    assert queue.fail(subject.take_one(queue), failure(2, text="before"))
    assert queue.retry(lambda _: True) == 1
    assert queue.fail(subject.take_one(queue), failure(1, text="after"))
    (letter,) = queue.dead()
    assert [report.text for report in letter.failures] == ["after"]
    assert letter.attempts == 1


def test_retry_chooses_by_the_report(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(0), entry(1)])
    first, second = subject.take(queue, 2)
    assert queue.fail(first, failure(text="disk full"))
    assert queue.fail(second, failure(text="no such chunk"))
    assert queue.retry(lambda letter: "disk" in letter.failures[-1].text) == 1
    assert subject.take_one(queue).id == first.id
    assert is_gone(queue)


# counts, is_empty, tasks, body


def test_counts_say_how_many_tasks_are_where(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(n) for n in range(10)])
    finished, dead, paused, _ = subject.take(queue, 4)
    assert queue.done([finished]) == [True]
    assert queue.fail(dead, failure())
    assert queue.release(paused, pause=60.0)
    if subject.counts_exactly:
        expected = Counts(waiting=6, paused=1, leased=1, done=1, failed=1, is_exact=True)
    else:  # SQS hides a paused task as it hides a leased one
        expected = Counts(waiting=6, paused=0, leased=2, done=None, failed=1, is_exact=False)
    assert other.counts() == expected
    assert other.counts() == expected


def test_a_lease_that_ran_out_counts_as_waiting(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(0), entry(1)])
    subject.take(queue, 2, SHORT)

    def are_counted() -> bool:
        if not subject.counts_see_expiry:
            assert all(queue.release(lease) for lease in queue.lease(60.0))
        return queue.counts().waiting == 2

    subject.until(are_counted)
    assert queue.counts().leased == 0


def test_a_queue_is_empty_when_nothing_waits_pauses_or_is_leased(subject: Subject, queue: Queue, other: Queue) -> None:
    assert other.is_empty()
    put(queue, [entry(0)])
    assert not other.is_empty()
    lease = subject.take_one(queue)
    assert not other.is_empty()
    assert queue.release(lease, pause=2.0)
    assert not other.is_empty()
    assert queue.fail(subject.take_one(queue), failure())
    assert other.is_empty()


def test_tasks_are_listed_with_their_states(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(n) for n in range(4)])
    if not subject.lists_tasks:
        with pytest.raises(CannotSay, match="SQS"):
            queue.tasks()
        return
    queue.note_worker(record("node-1-77"))
    leased, paused, finished = subject.take(queue, 3)
    assert queue.release(paused, pause=60.0)
    assert queue.done([finished]) == [True]
    held = {task.id: task for task in other.tasks()}
    assert {id: (task.state, task.attempt) for id, task in held.items()} == {
        **{entry(n).id: ("waiting", 0) for n in range(4) if entry(n).id != finished.id},
        leased.id: ("leased", 1),
        paused.id: ("paused", 1),
    }
    assert held[leased.id].deadline == leased.deadline
    assert held[leased.id].holder == "node-1-77"
    assert held[paused.id].holder == ""


def test_the_messages_of_tasks_that_have_not_ended_are_shown(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(n) for n in range(4)])
    if not subject.lists_tasks:
        with pytest.raises(CannotSay, match="SQS"):
            list(queue.messages())
        return
    done, failed, paused, _ = (subject.take_one(queue) for _ in range(4))
    assert queue.done([done]) == [True]
    assert queue.fail(failed, failure())
    assert queue.release(paused, pause=60)
    shown = {held.id: (held.state, body) for held, body in other.messages()}
    left = {entry(n).id: entry(n).body for n in range(4) if entry(n).id not in {done.id, failed.id}}
    assert {id: body for id, (_, body) in shown.items()} == left
    assert {id: state for id, (state, _) in shown.items()} == {
        id: "paused" if id == paused.id else "leased" for id in left
    }


def test_a_withdrawn_task_was_never_there(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(0), entry(1)])
    lease = subject.take_one(queue)
    assert queue.withdraw([lease]) == [True]
    assert queue.withdraw([lease]) == [False]
    assert queue.counts().done in {0, None}
    assert queue.insert([Entry(lease.id, lease.body)], lambda _: None).new == 1
    assert {each.id for each in (subject.take_one(queue), subject.take_one(queue))} == {entry(0).id, entry(1).id}


# release_all, purge


def test_release_all_voids_leases_and_pauses(subject: Subject, queue: Queue, other: Queue) -> None:
    put(queue, [entry(n) for n in range(3)])
    leased, paused = subject.take(queue, 2)
    assert queue.release(paused, pause=60.0)
    if not subject.lists_tasks:
        with pytest.raises(CannotSay, match="SQS"):
            other.release_all()
        return
    assert other.release_all() == 2
    assert other.counts().waiting == 3
    assert queue.done([leased]) == [False]
    assert queue.renew([leased], 60.0) == [None]
    assert {lease.id for lease in subject.take(queue, 3)} == {entry(n).id for n in range(3)}


@pytest.mark.parametrize("state", ["waiting", "leased", "paused", "done", "failed"])
def test_purge_removes_the_tasks_of_one_state(subject: Subject, queue: Queue, other: Queue, state: State) -> None:
    put(queue, [entry(n) for n in range(5)])
    finished, dead, paused, _ = subject.take(queue, 4)
    assert queue.done([finished]) == [True]
    assert queue.fail(dead, failure())
    assert queue.release(paused, pause=60.0)
    before = queue.counts()
    if state in IN_QUEUE and not subject.purges_each_state:
        with pytest.raises(CannotSay, match="together"):
            other.purge([state, "failed"])
        assert queue.counts() == before
        return
    assert other.purge([state]) == (1 if state != "done" or subject.counts_exactly else 0)
    after = queue.counts()
    for each in ("waiting", "leased", "paused", "done", "failed"):
        was = getattr(before, each)
        assert getattr(after, each) == (0 if each == state and was is not None else was)


def test_purge_of_all_states_leaves_nothing(subject: Subject, queue: Queue) -> None:
    put(queue, [entry(n) for n in range(5)])
    finished, dead, _ = subject.take(queue, 3)
    assert queue.done([finished]) == [True]
    assert queue.fail(dead, failure())
    assert queue.purge([*IN_QUEUE, "done", "failed"]) == (5 if subject.counts_exactly else 4)
    assert queue.is_empty()
    assert list(queue.dead()) == []
    assert is_gone(queue)
    assert queue.insert([entry(0)], lambda _: None).new == 1


# workers


def record(name: str, **changes: object) -> WorkerRecord:
    fields = {"name": name, "host": "node-1", "pid": 77, "started": 1.0, "seen": 2.0, "processes": 2, "done": 3}
    return WorkerRecord(**{**fields, "failed": 0, "rate": 0.5, **changes})  # type: ignore[arg-type]  # by their names


def test_the_latest_record_of_a_worker_is_kept(subject: Subject, queue: Queue, other: Queue) -> None:
    queue.note_worker(record("node-1-77", done=3))
    queue.note_worker(record("node-1-77", done=4))
    assert other.workers() == ([record("node-1-77", done=4)] if subject.keeps_workers else [])


def test_closing_twice_is_no_error(queue: Queue) -> None:
    queue.close()
    queue.close()


def test_a_queue_is_shown_by_its_place(queue: Queue) -> None:
    assert repr(queue).startswith(type(queue).__name__)
    assert queue.url.partition("://")[2].rpartition("/")[2] in repr(queue)
