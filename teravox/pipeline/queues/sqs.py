"""A queue on AWS SQS, or on a server that speaks like it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future

from teravox.pipeline.errors import CannotSay, TeravoxError, Transient
from teravox.pipeline.failure import DeadLetter, Failure
from teravox.pipeline.queues import sqs_dead, sqs_insert
from teravox.pipeline.queues.contract import Counts, Entry, Held, Inserted, Lease, State, WorkerRecord
from teravox.pipeline.queues.sqs_address import FAILED, parse
from teravox.pipeline.queues.sqs_create import create_sqs_queue
from teravox.pipeline.queues.sqs_errors import NoSuchQueue, in_words
from teravox.pipeline.queues.sqs_wire import BATCH, LONGEST_HIDDEN, LONGEST_WAIT, Settled, SqsWire, connect
from teravox.pipeline.queues.steady import steady_time

__all__ = ["SqsQueue", "create_sqs_queue"]

LOOKS = 4  # times that all counts must be zero before the queue counts as empty
BETWEEN_LOOKS = 0.3  # seconds
TO_BURY = 60.0  # seconds that a lease must still last when its task is moved to the dead letters

_IN_QUEUE: frozenset[State] = frozenset({"waiting", "paused", "leased"})


class SqsQueue:
    """See contract.py for what it promises.

    What SQS cannot: see that a task is there already, give an attempt back, keep why an attempt failed, list tasks,
    tell a pause from a lease. All of its numbers are about. A task may be leased for twelve hours in all.
    """

    def __init__(self, url: str, *, region: str | None = None, endpoint: str | None = None) -> None:
        address = parse(url)
        self.url = url
        self._client = connect(url, region or address.region, endpoint or address.endpoint)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._ended: dict[str, float] = {}  # tokens of leases that were given up, and when they run out anyway
        self._answers: dict[str, bool] = {}  # to a `done` that could not be finished and will be asked again
        self._polls: set[Future[list[Lease]]] = set()
        self._main = self._find("SQS queue", address.name, address.url)
        self._failed = self._find(
            "queue for its dead letters,", address.name + FAILED, address.url and address.url + FAILED
        )

    def __repr__(self) -> str:
        return f"SqsQueue({self.url!r})"

    def insert(self, entries: Iterable[Entry], progress: Callable[[int], None], *, again: bool = False) -> Inserted:
        if not again:
            return Inserted(new=sqs_insert.insert(self._main, entries, progress), known=0)
        with sqs_dead.replacing(self._failed, entries) as seen:
            return Inserted(new=sqs_insert.insert(self._main, seen, progress), known=0)

    def lease(self, seconds: float, most: int = 1, wait: float = 0.0) -> list[Lease]:
        if wait >= 1:
            return self._poll(seconds, most, min(int(wait), LONGEST_WAIT))
        leases = self._receive(seconds, most, 0)
        if leases or wait <= 0 or self._closing.wait(wait):
            return leases
        return self._receive(seconds, most, 0)

    def renew(self, leases: Sequence[Lease], seconds: float) -> list[Lease | None]:
        held = [lease for lease in leases if self._is_held(lease)]
        deadline = steady_time() + min(seconds, LONGEST_HIDDEN)
        settled = self._main.hide([lease.token for lease in held], seconds)
        self._expect(settled, "leases could not be renewed")
        renewed = {
            lease.token: Lease(lease.id, lease.body, lease.attempt, deadline, lease.token)
            for place, lease in enumerate(held)
            if place in settled.taken
        }
        return [renewed.get(lease.token) for lease in leases]

    def done(self, leases: Sequence[Lease]) -> list[bool]:
        """AWS says yes to a receipt that no longer holds, and keeps the message; so we look at our own clock too."""
        held = [lease for lease in leases if lease.token not in self._answers and self._is_held(lease)]
        settled = self._main.delete([lease.token for lease in held])
        for place, lease in enumerate(held):
            if place not in settled.left:
                self._end(lease)
                self._answers[lease.token] = place in settled.taken
        self._expect(settled, "finished tasks could not be removed")
        return [self._answers.pop(lease.token, False) for lease in leases]

    def withdraw(self, leases: Sequence[Lease]) -> list[bool]:
        return self.done(leases)  # SQS keeps no trace of what is done

    def release(
        self,
        lease: Lease,
        *,
        pause: float = 0.0,
        refund: bool = False,  # noqa: ARG002  # SQS counts receives, and nobody can take one back
        failure: Failure | None = None,  # noqa: ARG002  # SQS keeps nothing beside a message
    ) -> bool:
        if not self._is_held(lease):
            return False
        settled = self._main.hide([lease.token], pause)
        if settled.refused and pause > 0:  # its twelve hours end before the pause would
            settled = self._main.hide([lease.token], 0)
        self._expect(settled, "a task could not be given back")
        self._end(lease)
        return bool(settled.taken)

    def fail(self, lease: Lease, failure: Failure) -> bool:
        (held,) = self.renew([lease], TO_BURY)  # nobody else can have it while it is in both queues
        if held is None:
            return False
        sqs_dead.bury(self._failed, lease.body.decode(), failure)
        self.done([held])
        return True

    def counts(self) -> Counts:
        free, hidden, delayed = self._main.about()
        return Counts(
            waiting=free,
            paused=delayed,
            leased=hidden,  # with those that were given back for later: SQS hides both alike
            done=None,
            failed=sum(self._failed.about()),
            is_exact=False,
        )

    def is_empty(self) -> bool:
        """SQS's numbers come from many machines and lag behind, so they must all be zero several times."""
        for look in range(LOOKS):
            if look:
                self._closing.wait(BETWEEN_LOOKS)
            if any(self._main.about()):
                return False
        return True

    def tasks(self) -> Iterator[Held]:
        raise CannotSay(
            f"{self.url}: SQS cannot list its tasks without leasing them; `teravox queue status` says how many there are"
        )

    def messages(self) -> Iterator[tuple[Held, bytes]]:
        yield from ((held, b"") for held in self.tasks())

    def dead(self) -> Iterator[DeadLetter]:
        return sqs_dead.letters(self._failed)

    def retry(self, match: Callable[[DeadLetter], bool]) -> int:
        return sqs_dead.retry(self._failed, self._main, match)

    def release_all(self) -> int:
        raise CannotSay(f"{self.url}: on SQS only its holder can release a task; leases run out by themselves")

    def purge(self, states: Sequence[State]) -> int:
        wanted = set(states)
        if wanted & _IN_QUEUE and not wanted >= _IN_QUEUE:
            raise CannotSay(
                f"{self.url}: SQS can purge waiting, paused and leased tasks only together; name all three, or none"
            )
        wires = [self._main] if wanted & _IN_QUEUE else []
        if "failed" in wanted:
            wires.append(self._failed)
        number = 0
        for wire in wires:
            number += sum(wire.about())
            wire.purge()
        return number

    def note_worker(self, record: WorkerRecord) -> None:
        """SQS has no place for it."""

    def workers(self) -> list[WorkerRecord]:
        return []

    def close(self) -> None:
        """Nobody waits for a task any more; leases stay, and can still be given back."""
        self._closing.set()
        with self._lock:
            polls = list(self._polls)
        for answer in polls:
            answer.cancel()
        self._client.close()

    def _find(self, what: str, name: str, url: str | None) -> SqsWire:
        """The queue of this name, once it is certain that it is there."""
        try:
            with in_words(self.url):
                found = url or self._client.get_queue_url(QueueName=name)["QueueUrl"]
            wire = SqsWire(self._client, found, self.url, self._closing)
            wire.about()
        except NoSuchQueue:
            raise NoSuchQueue(
                f"there is no {what} {name} at {self._client.meta.endpoint_url} in this account; "
                f"make it with: teravox queue create {self.url}"
            ) from None
        return wire

    def _poll(self, seconds: float, most: int, wait: int) -> list[Lease]:
        """Wait for tasks in a thread, so that `close` and Ctrl-C need not wait for SQS's answer."""
        answer: Future[list[Lease]] = Future()
        with self._lock:
            self._polls.add(answer)
        if self._closing.is_set():
            answer.cancel()
        else:
            threading.Thread(target=self._answer, args=(answer, seconds, most, wait), name="poll", daemon=True).start()
        try:
            return answer.result()
        except CancelledError:
            return []
        finally:
            answer.cancel()
            with self._lock:
                self._polls.discard(answer)

    def _answer(self, answer: Future[list[Lease]], seconds: float, most: int, wait: int) -> None:
        leases: list[Lease] = []
        trouble: Exception | None = None
        try:
            leases = self._receive(seconds, most, wait)
        except Exception as error:  # noqa: BLE001  # raised again where the answer is waited for
            trouble = error
        if answer.set_running_or_notify_cancel():
            if trouble is None:
                answer.set_result(leases)
            else:
                answer.set_exception(trouble)
        else:
            for lease in leases:
                self._give_back(lease)

    def _give_back(self, lease: Lease) -> None:
        """A task that came when nobody waited for it any more."""
        try:
            self.release(lease)
        except TeravoxError:  # its lease runs out by itself
            self._end(lease)

    def _receive(self, seconds: float, most: int, wait: int) -> list[Lease]:
        asked = steady_time()
        messages = self._main.receive(seconds, min(most, BATCH), wait)
        # The lease began between the question and the answer; only a short question makes the earlier moment useful.
        deadline = (steady_time() if wait else asked) + seconds
        self._forget_ended()
        return [
            Lease(
                id=sqs_dead.name_of(message),
                body=message.body.encode(errors="replace"),
                attempt=message.receives,
                deadline=deadline,
                token=message.receipt,
            )
            for message in messages
        ]

    def _is_held(self, lease: Lease) -> bool:
        """As far as we know: the lease has not run out by our clock, and was not given up."""
        return steady_time() < lease.deadline and lease.token not in self._ended

    def _end(self, lease: Lease) -> None:
        with self._lock:
            self._ended[lease.token] = lease.deadline

    def _forget_ended(self) -> None:
        now = steady_time()
        with self._lock:
            self._ended = {token: deadline for token, deadline in self._ended.items() if deadline > now}

    def _expect(self, settled: Settled, what: str) -> None:
        if settled.left:
            raise Transient(f"{self.url}: {what}: {', '.join(sorted(set(settled.left.values())))}")
