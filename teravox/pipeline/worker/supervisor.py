"""The supervisor: leases tasks, lets children run them, and answers for every one of them."""

from __future__ import annotations

import os
import random
import socket
import time
from collections import Counter, deque
from collections.abc import Callable

import msgspec

from teravox.pipeline.errors import Fatal, TeravoxError
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.queues.contract import Lease, Queue, WorkerRecord
from teravox.pipeline.storage.durability import durable_writes
from teravox.pipeline.units import say_bytes, say_seconds
from teravox.pipeline.worker.accounts import Accounts
from teravox.pipeline.worker.children import Child
from teravox.pipeline.worker.crew import LOOK_EVERY, Crew
from teravox.pipeline.worker.health import Health
from teravox.pipeline.worker.leaser import Leaser
from teravox.pipeline.worker.leases import LeaseKeeper
from teravox.pipeline.worker.log import Log
from teravox.pipeline.worker.settings import Outcome, WorkerSettings
from teravox.pipeline.worker.stop import Signals, Wake
from teravox.pipeline.worker.treatment import TREATMENT
from teravox.pipeline.worker.verdicts import Verdicts
from teravox.pipeline.worker.wire import Answer, Broke, Done, Finished, Ready

LONGEST_IDLE = 12.0  # seconds between two looks at a queue that gives nothing, before they are spread
LONGEST_IDLE_TO_END = 1.0  # the same for a worker that leaves when the queue is empty
RECORD_EVERY = 10.0  # seconds between two records for `queue status`
RATE_OVER = 300.0  # seconds that a rate is taken over
MOST_AT_ONCE = 10  # tasks in one lease request
MOST_DEATHS = 3  # of children at a job's last duties

Progress = Callable[[int, int], None]  # tasks done, tasks failed


def work(queue: Queue, settings: WorkerSettings, progress: Progress | None = None) -> Outcome:
    """Take tasks from a queue and see them done until told to stop; the queue is closed at the end."""
    with durable_writes(settings.durable):
        return Supervisor(queue, settings, progress or (lambda _done, _failed: None)).run()


class Supervisor:
    """One worker; see `treatment.py` for what it does about failures and `settings.py` for its limits."""

    def __init__(self, queue: Queue, settings: WorkerSettings, progress: Progress) -> None:
        host = socket.gethostname()
        self._queue = queue
        self._settings = settings
        self._progress = progress
        self._name = f"{host}-{os.getpid()}"
        self._host = host
        self._health = Health(settings.health_file)
        self._log = Log(self._name, quiet=settings.quiet, as_json=settings.log_json)
        self._wake = Wake()
        self._signals = Signals(self._wake)
        self._crew = Crew(settings, self._log, self._wake)
        self._keeper = LeaseKeeper(queue, settings.lease_sec, self._log, self._wake)
        self._leaser = Leaser(queue, settings.lease_sec, self._wake)
        self._accounts = Accounts(self._keeper, self._name, host)
        self._verdicts = Verdicts(
            self._keeper,
            self._log,
            tries=settings.tries,
            worker=self._name,
            host=host,
            on_failed=lambda: progress(0, 1),
        )
        self._started = time.monotonic()
        self._began = time.time()
        self._next_record = 0.0
        self._idle = 0  # lease requests in a row that gave nothing
        self._empty_since: float | None = None  # monotonic time since which nothing was in the queue
        self._trouble = 0  # transient failures in a row
        self._not_before = 0.0
        self._taken = self._done = 0
        self._deaths: Counter[str] = Counter()  # of children, by the job whose last duties they did
        self._recent: deque[float] = deque()  # when tasks were done
        self._stopped_by = ""
        self._fatal = ""

    def run(self) -> Outcome:
        with self._signals.heard():
            try:
                self._health.begin()
                while not self._is_over():
                    if not self._stopped_by:
                        self._crew.fill()
                        self._ask_for_tasks()
                    for child, answer in self._crew.listen(self._pause()):
                        self._hear(child, answer)
                    self._take_leases()
                    self._crew.watch(self._keeper)
                    self._settle()
                    self._note()
                    self._health.beat()
            except Fatal as error:
                self._stopped_by, self._fatal = "fatal", str(error)
                self._log.error(self._fatal)
            finally:
                self._end()
        return self._outcome()

    def _is_over(self) -> bool:
        """Whether to end now; and whether to take no more tasks, in `_stopped_by`."""
        settings = self._settings
        if self._signals.count and self._stopped_by != "signal":
            self._stopped_by = "signal"
            grace = f"; running tasks have {say_seconds(settings.grace)}" if settings.grace else ""
            self._log.info(f"stopping, as {self._signals.name} asks{grace}")
        elif self._stopped_by:
            pass
        elif settings.num_tasks is not None and self._taken >= settings.num_tasks:
            self._stopped_by = "num-tasks"
        elif settings.min_sec is not None and time.monotonic() - self._started >= settings.min_sec:
            self._stopped_by = "min-sec"
        if not self._stopped_by:
            return False
        if self._signals.count:
            is_late = time.monotonic() >= self._signals.first + settings.grace
            return self._signals.count > 1 or is_late or not self._crew.is_busy
        return not self._crew.is_busy

    def _pause(self) -> float:
        """How long to listen before looking at the clock again."""
        if self._crew.running or self._accounts.is_owing:
            return LOOK_EVERY
        if self._leaser.is_asking or self._stopped_by or self._crew.room < 1:
            return RECORD_EVERY  # a child that starts, or does a job's last duties, wakes us
        return max(0.0, min(self._not_before - time.monotonic(), RECORD_EVERY))

    def _hear(self, child: Child, answer: Answer | None) -> None:
        lease = child.lease
        match answer:
            case None:
                if child.finishing is not None:
                    self._finish_again(child.finishing)
                death = self._crew.lose(child)
                if death is not None:
                    self._judge(child, death.lease, Broke(death.sort, death.how, death.text, "", 0.0, child.seconds))
            case Ready():
                self._crew.become_ready(child)
            case Finished():
                child.finishing = None
                self._idle, self._not_before = 0, 0.0  # other jobs may wait for their last duties
                if answer.is_complete:
                    self._log.info(f"{answer.kind}: all pieces are done", kind=answer.kind)
            case Broke() if child.finishing is not None:
                child.finishing = None
                self._verdicts.unfinished += 1
                self._log.error(f"the last duties of a job failed: {answer.text}")
            case Broke() if lease is not None:
                child.lease = None
                child.read_output()
                self._judge(child, lease, answer)
            case Done() if lease is not None:
                child.lease = None
                self._trouble = 0
                self._take_down(lease, answer)

    def _finish_again(self, job_id: str) -> None:
        """A child died while it did a job's last duties: another one does them, unless too many died of them."""
        self._deaths[job_id] += 1
        if self._deaths[job_id] < MOST_DEATHS:
            self._accounts.unfinished.add(job_id)
        else:
            self._verdicts.unfinished += 1

    def _take_down(self, lease: Lease, done: Done) -> None:
        self._log.info(
            f"{done.kind} {_say_piece(bytes(done.piece))} done in {say_seconds(done.seconds)}, "
            f"{say_bytes(done.peak_bytes)} at its peak",
            event="done",
            kind=done.kind,
            id=lease.id,
            attempt=lease.attempt,
            seconds=round(done.seconds, 4),
            peak_bytes=done.peak_bytes,
        )
        try:
            self._accounts.add(lease, done)
        except TeravoxError as error:
            text = f"it was done, and its record could not be written: {error}"
            failure = self._verdicts.failure(lease, error.sort, type(error).__name__, text, seconds=done.seconds)
            self._verdicts.judge(lease, failure)

    def _judge(self, child: Child, lease: Lease, broke: Broke) -> None:
        failure = self._verdicts.failure(lease, broke.sort, broke.error, broke.text, seconds=broke.seconds)
        self._verdicts.judge(lease, msgspec.structs.replace(failure, traceback=broke.traceback, log=tuple(child.log)))
        treatment = TREATMENT[broke.sort]
        if treatment.stops_worker:
            raise Fatal(broke.text)
        if treatment.fewer_processes and self._crew.width > 1:
            self._crew.width -= 1
            self._log.warning(f"out of memory: from now on {self._crew.width} tasks run side by side")
        if broke.sort == "transient":
            self._hold_off()

    def _hold_off(self) -> None:
        """Take no task for a moment that grows: a network that fails must not use up every task's attempts."""
        self._trouble = min(self._trouble + 1, 6)
        self._not_before = time.monotonic() + 2.0 ** (self._trouble - 1)

    def _ask_for_tasks(self) -> None:
        if self._leaser.is_asking or time.monotonic() < self._not_before:
            return
        most = min(self._crew.room, MOST_AT_ONCE)
        if self._settings.num_tasks is not None:
            most = min(most, self._settings.num_tasks - self._taken)
        if most > 0:
            self._leaser.ask(most, 0.0 if self._crew.running else self._idle_pause())

    def _idle_pause(self) -> float:
        if self._idle == 0:
            return 0.0
        ends_soon = self._settings.exit_on_empty and not self._settings.idle
        longest = LONGEST_IDLE_TO_END if ends_soon else LONGEST_IDLE
        spread: float = random.uniform(0.85, 1.15)  # noqa: S311  # spreads load, guards nothing
        return min(0.05 * 2.0**self._idle, longest) * spread

    def _take_leases(self) -> None:
        try:
            leases = self._leaser.take()
        except Fatal:
            raise
        except TeravoxError as error:
            self._hold_off()
            self._log.warning(str(error))
            return
        if leases is None:
            return
        for lease in leases:
            self._keeper.hold(lease)
            self._begin(lease)
        if leases:
            self._idle = 0
            self._empty_since = None
        else:
            self._rest()

    def _begin(self, lease: Lease) -> None:
        free = self._crew.free()
        if self._verdicts.is_worn_out(lease):
            self._verdicts.bury_worn_out(lease)
        elif free is None or self._stopped_by:
            self._verdicts.give_back(lease)
        else:
            self._taken += 1
            free.run(lease)

    def _rest(self) -> None:
        """Nothing could be had: look again after a pause, do a job's last duties, or end."""
        self._idle = min(self._idle + 1, 16)
        if self._crew.is_busy:
            self._not_before = time.monotonic() + self._idle_pause()
            return
        if not (self._settings.exit_on_empty or self._accounts.unfinished or self._accounts.is_owing):
            return
        self._settle(now=True)
        if not self._queue.is_empty():
            self._empty_since = None
            return
        free = self._crew.free()
        if self._accounts.unfinished and free is not None:
            job_id = self._accounts.unfinished.pop()
            free.finish(job_id, self._accounts.body_of(job_id))
        elif self._settings.exit_on_empty and self._empty_for() >= self._settings.idle:
            self._stopped_by = "empty"

    def _empty_for(self) -> float:
        """Seconds since the queue was first seen empty, with nothing in it meanwhile."""
        now = time.monotonic()
        self._empty_since = now if self._empty_since is None else self._empty_since
        return now - self._empty_since

    def _settle(self, *, now: bool = False) -> None:
        try:
            done, lost = self._accounts.settle(now=now)
        except Fatal:
            raise
        except TeravoxError as error:
            self._hold_off()
            self._log.warning(f"finished tasks could not be taken out of the queue yet: {error}")
            return
        if lost:
            self._log.warning(f"{lost} finished tasks had lost their leases; somebody does them again, to the same end")
        if done:
            self._done += done
            self._recent.extend([time.monotonic()] * done)
            self._progress(done, 0)

    def _note(self) -> None:
        """Leave a record for `queue status`."""
        now = time.monotonic()
        if now < self._next_record:
            return
        self._next_record = now + RECORD_EVERY
        while self._recent and self._recent[0] < now - RATE_OVER:
            self._recent.popleft()
        record = WorkerRecord(
            name=self._name,
            host=self._host,
            pid=os.getpid(),
            started=self._began,
            seen=time.time(),
            processes=self._crew.width,
            done=self._done,
            failed=self._verdicts.failed,
            rate=len(self._recent) / max(1.0, min(RATE_OVER, now - self._started)),
            plugins=self._settings.plugins,
        )
        try:
            self._queue.note_worker(record)
        except TeravoxError as error:
            self._log.warning(f"this worker's record could not be written: {error}")

    def _end(self) -> None:
        """Give back what is leased, end the children, and let go of the queue."""
        for lease in self._crew.dismiss():
            self._give_back_at_the_end(lease)
        try:
            self._settle(now=True)
        except TeravoxError as error:  # the leases run out, and the tasks are done again
            self._log.error(f"finished tasks could not be taken out of the queue: {error}")
        self._queue.close()
        for lease in self._leaser.end():
            self._keeper.hold(lease)
            self._give_back_at_the_end(lease)
        self._keeper.close()
        self._crew.close()
        self._wake.close()

    def _give_back_at_the_end(self, lease: Lease) -> None:
        try:
            self._verdicts.give_back(lease)
        except TeravoxError as error:  # it runs out by itself
            self._log.error(f"a lease could not be given back: {error}")

    def _outcome(self) -> Outcome:
        code = ExitCode.DONE
        if self._signals.count > 1:
            code = ExitCode.INTERRUPTED
        elif self._fatal:
            code = ExitCode.FATAL
        elif self._verdicts.failed or self._verdicts.unfinished:
            code = ExitCode.FAILED
        outcome = Outcome(
            done=self._done,
            failed=self._verdicts.failed,
            retried=self._verdicts.retried,
            released=self._verdicts.released,
            unfinished=self._verdicts.unfinished,
            stopped_by=self._stopped_by,
            fatal=self._fatal,
            exit_code=int(code),
        )
        self._log.info(
            f"{outcome.done:,} done, {outcome.failed:,} failed, {outcome.retried:,} tried again, "
            f"{outcome.released:,} given back",
            event="end",
            **msgspec.to_builtins(outcome),
        )
        return outcome


def _say_piece(piece: bytes) -> str:
    """A piece in few letters."""
    return piece.decode().translate(str.maketrans("", "", '{}"'))[:120]
