"""A file system, a clock and a fleet that exist only in memory, to try the folder queue's protocol on.

One seed is one history: submitters, workers and an operator take turns, one action at a time, while processes die,
stall and see stale listings, replies get lost and the disk fills up. `Violation` names what must never happen.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from teravox.pipeline.queues.contract import Lease
from teravox.pipeline.queues.folder_names import Name, done_path, failed_path, fresh, parse, report_path
from teravox.pipeline.queues.folder_steps import FolderSteps, Steps

LEASE = 10.0
TRIES = 3
TASKS = 5

T = TypeVar("T")
Protocol = Callable[[str, int], FolderSteps]
Action = Generator[tuple[Any, ...], Any, Any]


class Violation(AssertionError):
    """The promise of the queue is broken; the text has the last actions, and the seed plays it again."""


class Died(Exception):
    """The process is killed at this action."""


def task(number: int) -> str:
    return f"{number:032x}"


def body(id: str) -> bytes:
    return b"the whole message of " + id.encode()


class Process:
    """One process: what it does next, when it may, and how wrong its own clock is."""

    def __init__(self, world: World, name: str, life: Callable[[World, Process], Action]) -> None:
        self.name = name
        self.life = life
        self.skew = world.random.uniform(-3600, 3600)
        self.steps = world.protocol(name, world.random.randrange(2**32))
        self.listing: list[str] | None = None
        self.present_at_start: set[str] = set()  # what a submitter saw, or could have seen, to be there
        self.refunds = False  # it gives its task back as if it had not been leased
        self.inserts_again = False  # what is done or dead is to be done once more
        self.stalled_until = 0.0
        self.asked = 0.0  # when it last asked for the time
        self.to_send: Any = None
        self.to_throw: OSError | None = None
        self.action = life(world, self)


class World:
    """The disk, the true time, and the invariants."""

    def __init__(self, seed: int, protocol: Protocol) -> None:
        self.random = random.Random(seed)
        self.protocol = protocol
        self.seed = seed
        self.clock = 1_700_000_000.0
        self.files: dict[str, bytes] = {}
        self.changed = self.clock
        self.trace: list[str] = []
        self.is_calm = False  # no more faults: the fleet drains the queue
        self.has_stale_listings = self.random.random() < 0.3
        self.has_two_submitters = self.random.random() < 0.3
        self.loses_replies = self.random.random() < 0.3
        self.submitters_insert_again = self.random.random() < 0.3
        self.known: set[str] = set()  # ids that were in the queue at some time
        self.doubled: set[str] = set()  # ids that two submitters raced for: they may be there twice
        self.dead: dict[str, Name] = {}  # by what name each dead letter was last leased
        self.put_back: set[str] = set()  # dead letters that the operator put back: their attempts begin anew
        self.old_names: list[str] = []
        self.born = 0
        self.processes: list[Process] = []
        self.there_since: dict[str, float] = {}  # names in queue/

    # -- the fleet

    def start(self, life: Callable[[World, Process], Action]) -> None:
        self.born += 1
        self.processes.append(Process(self, f"{self.born:012x}", life))

    def step(self) -> None:
        """Somebody takes one action."""
        names = [path[6:] for path in self.files if path.startswith("queue/")]
        self.there_since = {name: self.there_since.get(name, self.clock) for name in names}
        self.clock += self.random.choice((0.0, 0.01, 0.1, 0.5)) if self.random.random() < 0.97 else LEASE / 2
        ready = [process for process in self.processes if process.stalled_until <= self.clock]
        if not ready:
            return
        process = self.random.choice(ready)
        try:
            if process.to_throw is not None:
                error, process.to_throw = process.to_throw, None
                action = process.action.throw(error)
            else:
                action = process.action.send(process.to_send)
            process.to_send = None
        except StopIteration:
            self.processes.remove(process)
            return
        except OSError:  # the process ends by an error that it could not handle: somebody starts it again
            self.replace(process)
            return
        try:
            process.to_send = self.act(process, action)
        except OSError as error:
            process.to_throw = error
        except Died:
            self.note(process, "dies")
            self.replace(process)

    def replace(self, process: Process) -> None:
        process.action.close()
        self.processes.remove(process)
        self.start(process.life)

    def note(self, process: Process, text: str) -> None:
        self.trace.append(f"{self.clock - 1_700_000_000:8.2f} {process.name[-2:]} {text}")

    def demand(self, fact: bool, text: str) -> None:
        if not fact:
            raise Violation(f"seed {self.seed}: {text}\n" + "\n".join(self.trace[-40:]))

    # -- the disk

    def act(self, process: Process, action: tuple[Any, ...]) -> Any:
        word, *args = action
        luck = 1.0 if self.is_calm else self.random.random()
        if luck < 0.01 and word in {"rename", "write", "unlink"}:
            if word == "write":
                self.files[args[0]] = args[1][: len(args[1]) // 2]
                self.check_whole(args[0])
            elif self.random.random() < 0.5:
                self.change(process, word, args)
            raise Died
        if luck < 0.02:
            process.stalled_until = self.clock + self.random.uniform(0, 3 * LEASE)
        elif luck < 0.025 and word == "scan":
            process.listing = []  # an iterator that failed has ended
            raise OSError(errno.EIO, "Input/output error")
        elif luck < 0.03 and word == "write":
            raise OSError(errno.ENOSPC, "No space left on device")
        match word:
            case "now":
                process.asked = self.clock
                return self.clock
            case "own clock":
                return self.clock + process.skew
            case "changed":
                return self.changed
            case "pause":
                process.stalled_until = self.clock + args[0]
                return None
            case "scan":
                return self.scan(process)
            case "exists":
                return args[0] in self.files
            case "read":
                if args[0] not in self.files:
                    raise FileNotFoundError
                return self.files[args[0]]
            case _:
                self.change(process, word, args)
                if word == "rename" and self.loses_replies and luck < 0.06:
                    self.note(process, "does not hear that it was done")
                    raise FileNotFoundError
                return None

    def scan(self, process: Process) -> list[str]:
        if process.listing is not None:
            process.listing = None
            return []
        names = [path[6:] for path in self.files if path.startswith("queue/")]
        if self.has_stale_listings and not self.is_calm and self.random.random() < 0.3:
            process.listing = list(self.old_names)
        else:
            process.listing = self.old_names = names
        return list(process.listing) or self.scan(process)

    def change(self, process: Process, word: str, args: list[Any]) -> None:
        self.note(process, f"{word} {' '.join(str(arg) for arg in args)}")
        if word == "write":
            written = parse(args[0].removeprefix("queue/"))
            if written is not None:  # only a protocol with a defect does so: its inserts count as well
                self.doubled.update(self.present() & {written.id})
                self.known.add(written.id)
            self.files[args[0]] = args[1]
        elif word == "unlink":
            if args[0] not in self.files:
                raise FileNotFoundError
            del self.files[args[0]]
        else:
            old, new = args
            if old not in self.files:
                raise FileNotFoundError
            before = self.present() if new not in self.files else set()  # a message over itself changes nothing
            data = self.files.pop(old)
            if new.startswith("reports/") and new[8:40] not in self.put_back | self.doubled:
                self.demand(self.files.get(new, data) == data, f"a report is overwritten: {new}")
            self.files[new] = data
            self.check_rename(process, old, new, before)
        self.changed = self.clock
        for path in args[:2]:
            if isinstance(path, str):
                self.check_whole(path)
        self.demand(self.known <= self.present(), f"lost: {self.known - self.present()}")

    # -- what must hold

    def present(self) -> set[str]:
        """The ids that are in any state."""
        ids = set()
        for path in self.files:
            folder, _, name = path.rpartition("/")
            if folder == "queue":
                parsed = parse(name)
                ids.add(parsed.id if parsed else name)
            elif folder.startswith(("done", "failed")):
                ids.add(name.removesuffix(".json"))
        return ids

    def check_whole(self, path: str) -> None:
        if path.startswith(("queue/", "done/", "failed/")) and path in self.files:
            id = path.rpartition("/")[2].partition("--")[2] or path.rpartition("/")[2]
            self.demand(self.files[path] == body(id[:32]), f"half a file is visible: {path}")

    def check_rename(self, process: Process, old: str, new: str, before: set[str]) -> None:
        was = parse(old.removeprefix("queue/")) if old.startswith("queue/") else None
        now = parse(new.removeprefix("queue/")) if new.startswith("queue/") else None
        if old.startswith("tmp/") and now is not None:
            is_again = now.id in process.present_at_start and not self.has_stale_listings
            self.demand(not is_again, f"inserted again: {now.id}")
            if now.id in before:
                may_race = self.has_two_submitters or self.has_stale_listings or now.id in self.put_back
                self.demand(may_race, f"the only submitter inserted again: {now.id}")
                self.doubled.add(now.id)
            self.known.add(now.id)
        if was is not None and now is not None and now.token and now.token != was.token:
            self.demand(was.deadline <= self.clock, f"a live lease was taken: {old}")
            self.demand(now.attempt == was.attempt + 1, f"the attempt was not counted at the lease: {new}")
            is_over = done_path(now.id) in self.files and now.id not in self.doubled
            self.demand(not is_over, f"a task that is done was leased: {new}")
            self.demand(now.deadline >= process.asked + LEASE, f"the lease is too short: {new}")
        elif was is not None:
            is_own = process.life is operate or was.token.startswith(process.name)
            self.demand(is_own, f"{process.name} changed somebody else's lease: {old}")
            is_counted = now is None or now.attempt == was.attempt - process.refunds
            self.demand(is_counted, f"the attempt was changed after the lease: {old} {new}")
        if new.startswith("failed/") and was is not None and was.id not in self.doubled:
            report = self.files.get(report_path(was.id, was.attempt), b"")
            is_its_own = report == _report(was) or was.id in self.put_back  # a late retry may still clear reports
            self.demand(is_its_own, f"the dead letter has somebody else's report: {new}")
            self.dead[was.id] = was
        if old.startswith(("failed/", "done/")) and now is not None:
            is_asked = process.inserts_again or (process.life is operate and old.startswith("failed/"))
            self.demand(is_asked, f"{process.name} puts back what has ended: {old}")
            self.dead.pop(now.id, None)
            self.put_back.add(now.id)

    def check_end(self) -> None:
        left = {path for path in self.files if path.startswith("queue/")}
        self.demand(not left, f"these are still in the queue: {left}")
        self.demand(self.present() == self.known == set(map(task, range(TASKS))), "the tasks are not those inserted")
        for id, name in self.dead.items():
            if id not in self.put_back | self.doubled:
                report = self.files.get(report_path(id, name.attempt))
                self.demand(report == _report(name), f"the report of {id} is lost")
        for id in self.known - self.doubled:
            ends = [path for path in (done_path(id), failed_path(id)) if path in self.files]
            self.demand(len(ends) == 1, f"{id} ended {len(ends)} times")


def _report(name: Name | Lease) -> bytes:
    return f"{name.id} failed at attempt {name.attempt} of {name.token}".encode()


# -- what processes do


def submit(world: World, process: Process) -> Action:
    """Insert all tasks; started again from the beginning when it dies."""
    names = yield ("scan", 512)
    present = {parsed.id for name in names if (parsed := parse(name)) is not None}
    process.listing = None
    process.present_at_start = present | {id for id in map(task, range(TASKS)) if done_path(id) in world.files}
    process.inserts_again = world.submitters_insert_again
    insert = process.steps.insert_again if process.inserts_again else process.steps.insert
    for number in range(TASKS):
        yield from insert(task(number), body(task(number)), present)


def work(world: World, process: Process) -> Action:
    """Lease, renew, and end tasks in every way there is; for ever."""
    while True:
        began = world.clock
        try:
            leases = yield from process.steps.lease(LEASE, 1)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            continue
        if not leases:
            world.demand(
                world.has_stale_listings or world.loses_replies or not _waits_since(world, began),
                f"{process.name} found nothing while a task waited",
            )
            yield ("pause", 1.0)
            continue
        yield from _do(world, process, leases[0])


def _do(world: World, process: Process, lease: Lease) -> Steps[None]:
    current: Lease | None = lease
    while current is not None and not world.is_calm and world.random.random() < 0.5:
        yield ("pause", world.random.uniform(0, LEASE))
        current = yield from process.steps.renew(current, LEASE)
    if current is None:
        if world.random.random() < 0.5:
            return
        current = lease  # a holder that does not know, or does not care, that it lost its lease
    luck = 1.0 if world.is_calm and lease.attempt <= TRIES else world.random.random()
    if luck < 0.3 and lease.attempt < TRIES:
        yield from process.steps.release(current, 1.0, False, _report(current))
    elif luck < 0.4:
        process.refunds = True
        yield from process.steps.release(current, 0.0, True, None)
        process.refunds = False
    elif luck < 0.6 or lease.attempt > TRIES:
        yield from process.steps.fail(current, _report(current))
    else:
        yield from process.steps.done(current)


def _waits_since(world: World, began: float) -> bool:
    """A task was free before this moment, and is still under the same name."""
    names = (parse(path[6:]) for path in world.files if path.startswith("queue/"))
    return any(
        name is not None and name.deadline <= began and world.there_since.get(str(name), began) < began
        for name in names
    )


def operate(world: World, process: Process) -> Action:
    """An operator who now and then voids a lease and puts a dead letter back."""
    while not world.is_calm:
        yield ("pause", world.random.uniform(0, 4 * LEASE))
        names = [
            parsed for path in list(world.files) if (parsed := parse(path.removeprefix("queue/"))) and parsed.token
        ]
        if names and world.random.random() < 0.5:
            yield from process.steps.free(world.random.choice(names))
        failed = [path for path in world.files if path.startswith("failed/")]
        if failed and world.random.random() < 0.5:
            yield from process.steps.retry(failed[0][7:39], TRIES + 1)


def play(seed: int, steps: int, protocol: Protocol = FolderSteps) -> int:
    """One history: so many steps with faults, then a calm end in which the queue is drained; steps taken."""
    world = World(seed, protocol)
    others = (submit,) if world.has_two_submitters else ()
    for life in (submit, work, work, *others, work, operate):
        world.start(life)
    for _ in range(steps):
        world.step()
    world.is_calm = True
    for process in list(world.processes):
        process.stalled_until = min(process.stalled_until, world.clock + LEASE)
    if not any(process.life is submit for process in world.processes) and len(world.known) < TASKS:
        world.demand(False, "a submitter ended before all tasks were in")
    taken = steps
    while any(path.startswith("queue/") for path in world.files) or _is_submitting(world):
        world.step()
        taken += 1
        world.demand(taken < steps + 5000, "the queue is never drained")
    world.check_end()
    return taken


def _is_submitting(world: World) -> bool:
    return any(process.life is submit for process in world.processes)


class InsertsInPlace(FolderSteps):
    """The file is visible before it is whole."""

    def _put(self, path: str, data: bytes) -> Steps[None]:
        yield ("write", path, data)


class InsertsUnderRandomNames(FolderSteps):
    """Every insert is a new task."""

    def insert(self, id: str, body: bytes, known: Any = ()) -> Steps[bool]:
        other = f"{self._random.getrandbits(128):032x}"
        return (yield from super().insert(other, body.replace(id.encode(), other.encode()), ()))


class ForgetsWhatIsDone(FolderSteps):
    """An insert looks for waiting tasks only."""

    def insert(self, id: str, body: bytes, known: Any = ()) -> Steps[bool]:
        if (yield ("exists", f"queue/{fresh(id)}")):
            return False
        yield from self._put(f"queue/{fresh(id)}", body)
        return True


class PutsBackInTwoChanges(FolderSteps):
    """What is to be done again is removed first, and a kill comes before it is inserted."""

    def insert_again(self, id: str, body: bytes, known: Any = (), leases: int = 0) -> Steps[bool]:
        for path in (done_path(id), failed_path(id)):
            yield from self._remove(path)
        return (yield from self.insert(id, body, known))


class CountsAttemptsLate(FolderSteps):
    """A worker that dies has used up no attempt."""

    def lease(self, seconds: float, most: int) -> Steps[list[Lease]]:
        now = yield ("now",)
        for text in (yield ("scan", 512)):
            name = parse(text)
            if name is not None and name.deadline <= now:
                new = name._replace(deadline=int(now + seconds + 1), token=self._token())
                try:
                    yield ("rename", f"queue/{name}", f"queue/{new}")
                except FileNotFoundError:
                    continue
                data = yield ("read", f"queue/{new}")
                yield ("scan", 512)
                return [Lease(name.id, data, new.attempt, float(new.deadline), new.token)]
        return []


class EndsTasksByTheirId(FolderSteps):
    """Whoever says that a task is done is believed."""

    def done(self, lease: Lease) -> Steps[bool]:
        for text in (yield ("scan", 512)) or (yield ("scan", 512)):
            name = parse(text)
            if name is not None and name.id == lease.id:
                try:
                    yield ("rename", f"queue/{name}", done_path(name.id))
                except FileNotFoundError:
                    return False
        return True


class RenewsByTheId(FolderSteps):
    """Whoever once held a lease may extend it."""

    def renew(self, lease: Lease, seconds: float) -> Steps[Lease | None]:
        now = yield ("now",)
        for text in (yield ("scan", 512)) or (yield ("scan", 512)):
            name = parse(text)
            if name is not None and name.id == lease.id:
                new = Name(int(now + seconds + 1), lease.id, lease.attempt, lease.token)
                try:
                    yield ("rename", f"queue/{name}", f"queue/{new}")
                except FileNotFoundError:
                    return None
        return lease


class TrustsItsOwnClock(FolderSteps):
    """Leases end by the worker's clock."""

    def lease(self, seconds: float, most: int) -> Steps[list[Lease]]:
        return (yield from _by_own_clock(super().lease(seconds, most)))

    def renew(self, lease: Lease, seconds: float) -> Steps[Lease | None]:
        return (yield from _by_own_clock(super().renew(lease, seconds)))


def _by_own_clock(steps: Steps[T]) -> Steps[T]:
    try:
        action = next(steps)
        while True:
            try:
                result = yield ("own clock",) if action == ("now",) else action
            except OSError as error:
                action = steps.throw(error)
            else:
                action = steps.send(result)
    except StopIteration as end:
        answer: T = end.value
        return answer


class SaysEmptyAfterALostRace(FolderSteps):
    """The loser gives up, although more tasks wait."""

    def _lose(self) -> None:
        raise FileNotFoundError

    def lease(self, seconds: float, most: int) -> Steps[list[Lease]]:
        try:
            return (yield from super().lease(seconds, most))
        except FileNotFoundError:
            return []


class ReleasesByTheId(FolderSteps):
    """Whoever once held a lease may give the task back."""

    def release(self, lease: Lease, pause: float, refund: bool, report: bytes | None) -> Steps[bool]:
        for text in (yield ("scan", 512)) or (yield ("scan", 512)):
            name = parse(text)
            if name is not None and name.id == lease.id:
                return (yield from self.free(name))
        return False


class ForgetsAttemptsAtTheRelease(FolderSteps):
    """A task that is given back begins anew."""

    def release(self, lease: Lease, pause: float, refund: bool, report: bytes | None) -> Steps[bool]:
        return (yield from self._leave(lease, f"queue/{fresh(lease.id)}", report))


class BelievesAFailedListing(FolderSteps):
    """A folder that could not be read is empty."""

    def lease(self, seconds: float, most: int) -> Steps[list[Lease]]:
        try:
            return (yield from super().lease(seconds, most))
        except OSError:
            self._in_pass = False
            raise


class CopiesThenDeletes(FolderSteps):
    """Done is two changes, and a kill comes between them."""

    def done(self, lease: Lease) -> Steps[bool]:
        name = Name(int(lease.deadline), lease.id, lease.attempt, lease.token)
        if not (yield ("exists", f"queue/{name}")):
            return False
        yield ("write", done_path(lease.id), lease.body)
        yield from self._remove(f"queue/{name}")
        return True


class DeletesThenWrites(FolderSteps):
    """Done is two changes, the other way round."""

    def done(self, lease: Lease) -> Steps[bool]:
        name = Name(int(lease.deadline), lease.id, lease.attempt, lease.token)
        try:
            yield ("unlink", f"queue/{name}")
        except FileNotFoundError:
            return False
        yield from self._put(done_path(lease.id), lease.body)
        return True


class RoundsDeadlinesDown(FolderSteps):
    """A lease of n seconds lasts n-1 to n."""

    def renew(self, lease: Lease, seconds: float) -> Steps[Lease | None]:
        return (yield from super().renew(lease, seconds - 1))

    def lease(self, seconds: float, most: int) -> Steps[list[Lease]]:
        return (yield from super().lease(seconds - 1, most))


class KeepsOneReport(FolderSteps):
    """A holder that lost its lease overwrites, and then removes, the report of the one that has it."""

    def fail(self, lease: Lease, report: bytes) -> Steps[bool]:
        for attempt in range(1, TRIES + 3):
            yield from self._put(report_path(lease.id, attempt), report)
        failed = yield from super().fail(lease, report)
        if not failed:
            yield from self._forget_reports(lease.id, TRIES + 2)
        return failed


DEFECTS: tuple[type[FolderSteps], ...] = (
    InsertsInPlace,
    InsertsUnderRandomNames,
    ForgetsWhatIsDone,
    PutsBackInTwoChanges,
    CountsAttemptsLate,
    EndsTasksByTheirId,
    RenewsByTheId,
    ReleasesByTheId,
    ForgetsAttemptsAtTheRelease,
    BelievesAFailedListing,
    TrustsItsOwnClock,
    SaysEmptyAfterALostRace,
    CopiesThenDeletes,
    DeletesThenWrites,
    RoundsDeadlinesDown,
    KeepsOneReport,
)
