"""A queue in a folder that all workers share."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path

import msgspec

from teravox.pipeline.failure import DeadLetter, Failure
from teravox.pipeline.idset import IdSet
from teravox.pipeline.queues.contract import Counts, Entry, Held, Inserted, Lease, State, WorkerRecord
from teravox.pipeline.queues.folder_disk import FolderDisk
from teravox.pipeline.queues.folder_names import (
    ID,
    Name,
    done_path,
    failed_path,
    parse,
    report_path,
)
from teravox.pipeline.queues.folder_steps import FolderSteps, Steps

SLOW = 0.001  # seconds an insert may take before several are sent side by side, as network file systems need
FIRST = 32  # inserts that show how slow it is
SIDE_BY_SIDE = 16
FORGOTTEN = 24 * 3600.0  # seconds after which files of dead processes are swept away


class FolderQueue:
    """See contract.py for what it promises, and folder_steps.py for how."""

    def __init__(self, path: str | Path, *, create: bool = False) -> None:
        self.root = Path(path).absolute()
        self.url = f"fq://{self.root}"
        self.worker = secrets.token_hex(6)
        self._disk = FolderDisk(self.root, self.worker)
        self._steps = FolderSteps(self.worker)
        self._closing = threading.Event()
        if create:
            self._disk.create()
        else:
            self._disk.check()

    def __repr__(self) -> str:
        return f"FolderQueue({str(self.root)!r})"

    def insert(self, entries: Iterable[Entry], progress: Callable[[int], None], *, again: bool = False) -> Inserted:
        self._disk.sweep(FORGOTTEN)
        known = self._known()
        reported = self._reported() if again else {}

        def steps_of(steps: FolderSteps, entry: Entry) -> Steps[bool]:
            if again:
                return steps.insert_again(entry.id, entry.body, known, reported.get(entry.id, 0))
            return steps.insert(entry.id, entry.body, known)

        counted = {True: 0, False: 0}
        entries = iter(entries)

        def put(entry: Entry) -> None:
            is_new = self._disk.take(steps_of(self._steps, entry))
            counted[is_new] += 1
            progress(1)

        seconds = []
        for entry in islice(entries, FIRST):
            started = time.perf_counter()
            put(entry)
            seconds.append(time.perf_counter() - started)
        if seconds and sorted(seconds)[len(seconds) // 2] < SLOW:  # not their sum: a stall says little
            for entry in entries:
                put(entry)
        self._insert_side_by_side(entries, steps_of, counted, progress)
        return Inserted(new=counted[True], known=counted[False])

    def _insert_side_by_side(
        self,
        entries: Iterator[Entry],
        steps_of: Callable[[FolderSteps, Entry], Steps[bool]],
        counted: dict[bool, int],
        progress: Callable[[int], None],
    ) -> None:
        turn = threading.Lock()
        ended = threading.Event()

        def put_all(steps: FolderSteps) -> None:
            try:
                while not ended.is_set():
                    with turn:
                        entry = next(entries, None)
                    if entry is None:
                        return
                    is_new = self._disk.take(steps_of(steps, entry))
                    with turn:
                        counted[is_new] += 1
                        progress(1)
            except BaseException:
                ended.set()
                raise

        # Each thread has a writer's name of its own.
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            threads = [pool.submit(put_all, FolderSteps(f"{self.worker}{n:x}")) for n in range(SIDE_BY_SIDE)]
            try:
                for thread in threads:
                    thread.result()
            finally:
                ended.set()

    def lease(self, seconds: float, most: int = 1, wait: float = 0.0) -> list[Lease]:
        leases = self._disk.take(self._steps.lease(seconds, most))
        if leases or wait <= 0 or self._closing.wait(wait):
            return leases
        return self._disk.take(self._steps.lease(seconds, most))

    def renew(self, leases: Sequence[Lease], seconds: float) -> list[Lease | None]:
        return [self._disk.take(self._steps.renew(lease, seconds)) for lease in leases]

    def done(self, leases: Sequence[Lease]) -> list[bool]:
        return [self._disk.take(self._steps.done(lease)) for lease in leases]

    def withdraw(self, leases: Sequence[Lease]) -> list[bool]:
        return [self._disk.take(self._steps.withdraw(lease)) for lease in leases]

    def release(
        self, lease: Lease, *, pause: float = 0.0, refund: bool = False, failure: Failure | None = None
    ) -> bool:
        report = msgspec.json.encode(failure) if failure is not None else None
        return self._disk.take(self._steps.release(lease, pause, refund, report))

    def fail(self, lease: Lease, failure: Failure) -> bool:
        return self._disk.take(self._steps.fail(lease, msgspec.json.encode(failure)))

    def counts(self) -> Counts:
        now = self._now()
        states = Counter(_state(name, now) if name else "foreign" for name in map(parse, self._disk.names("queue")))
        return Counts(
            waiting=states["waiting"],
            paused=states["paused"],
            leased=states["leased"],
            done=sum(1 for _ in self._done()),
            failed=sum(1 for _ in self._failed()),
            is_exact=True,
            foreign=states["foreign"],
        )

    def is_empty(self) -> bool:
        return next(self._names(), None) is None

    def tasks(self) -> Iterator[Held]:
        return (held for _, held in self._held())

    def messages(self) -> Iterator[tuple[Held, bytes]]:
        for name, held in self._held():
            with self._disk.speaking(), contextlib.suppress(FileNotFoundError):  # it has another name by now, or ended
                yield held, self._disk.read(f"queue/{name}")

    def dead(self) -> Iterator[DeadLetter]:
        return (letter for letter, _ in self._letters())

    def retry(self, match: Callable[[DeadLetter], bool]) -> int:
        chosen = [(letter.id, leases) for letter, leases in self._letters() if match(letter)]
        return sum(self._disk.take(self._steps.retry(id, leases)) for id, leases in chosen)

    def release_all(self) -> int:
        now = self._now()
        held = [name for name in self._names() if name.deadline > now]
        return sum(self._disk.take(self._steps.free(name)) for name in held)

    def purge(self, states: Sequence[State]) -> int:
        now = self._now()
        paths = [f"queue/{name}" for name in self._names() if _state(name, now) in states]
        if "done" in states:
            paths += [done_path(id) for id in self._done()]
        if "failed" in states:
            paths += [failed_path(id) for id in self._failed()]
            for letter, leases in self._letters():
                paths += [report_path(letter.id, lease) for lease in range(1, leases + 1)]
        tasks = 0
        for path in paths:
            with self._disk.speaking(), contextlib.suppress(FileNotFoundError):
                self._disk.unlink(path)
                tasks += not path.startswith("reports/")
        return tasks

    def note_worker(self, record: WorkerRecord) -> None:
        temporary = f"tmp/{self.worker}.record"
        with self._disk.speaking():
            with contextlib.suppress(FileNotFoundError):
                self._disk.unlink(temporary)
            self._disk.write(temporary, msgspec.json.encode(record))
            self._disk.rename(temporary, f"workers/{self.worker}.json")

    def workers(self) -> list[WorkerRecord]:
        return list(self._workers().values())

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):  # there may be none, and a queue that is gone needs no tidying
            self._disk.unlink(f"workers/{self.worker}.json")
        self._disk.close()

    def _held(self) -> Iterator[tuple[Name, Held]]:
        now = self._now()
        holders = {token: record.name for token, record in self._workers().items()}
        for name in self._names():
            state = _state(name, now)
            holder = name.token[: len(self.worker)] if state == "leased" else ""
            yield name, Held(name.id, state, name.attempt, float(name.deadline), holders.get(holder, holder))

    def _known(self) -> IdSet:
        """The ids in queue/, of two listings: one can miss a task whose name changes while it goes on."""
        known = IdSet(name.id for name in self._names())
        missed = [name.id for name in self._names() if name.id not in known]
        return IdSet(chain(known, missed)) if missed else known

    def _now(self) -> float:
        with self._disk.speaking():
            return self._disk.now()

    def _names(self) -> Iterator[Name]:
        return (name for name in map(parse, self._disk.names("queue")) if name is not None)

    def _done(self) -> Iterator[str]:
        for digit in "0123456789abcdef":
            yield from _ids(self._disk.names(f"done/{digit}"))

    def _failed(self) -> Iterator[str]:
        return _ids(self._disk.names("failed"))

    def _letters(self) -> Iterator[tuple[DeadLetter, int]]:
        """The dead letters, and how often each was leased: once more than tried where nobody had come back."""
        leases = self._reported()
        for id in self._failed():
            with self._disk.speaking(), contextlib.suppress(FileNotFoundError):  # put back while we looked
                body = self._disk.read(failed_path(id))
                most = leases.get(id, 0)
                failures = tuple(self._reports(id, most))
                attempts = failures[-1].attempt if failures else most
                yield DeadLetter(id=id, body=body, attempts=attempts, failures=failures), most

    def _reported(self) -> dict[str, int]:
        """The last lease of each task that left a report."""
        leases: dict[str, int] = {}
        for name in self._disk.names("reports"):
            id, _, rest = name.partition(".")
            number = rest.partition(".")[0]
            if number.isdecimal():
                leases[id] = max(leases.get(id, 0), int(number))
        return leases

    def _reports(self, id: str, leases: int) -> Iterator[Failure]:
        for lease in range(1, leases + 1):
            report = b""
            with self._disk.speaking(), contextlib.suppress(FileNotFoundError):  # an attempt may have left none
                report = self._disk.read(report_path(id, lease))
            with contextlib.suppress(msgspec.DecodeError):
                yield msgspec.json.decode(report, type=Failure)

    def _workers(self) -> dict[str, WorkerRecord]:
        records = {}
        for name in self._disk.names("workers"):
            with (
                self._disk.speaking(),
                contextlib.suppress(FileNotFoundError, msgspec.DecodeError),
            ):  # gone, or not ours
                records[name.removesuffix(".json")] = msgspec.json.decode(
                    self._disk.read(f"workers/{name}"), type=WorkerRecord
                )
        return records


def _state(name: Name, now: float) -> State:
    return "waiting" if name.deadline <= now else "leased" if name.token else "paused"


def _ids(names: Iterable[str]) -> Iterator[str]:
    return (name[:32] for name in names if len(name) == 37 and ID.fullmatch(name[:32]) and name.endswith(".json"))
