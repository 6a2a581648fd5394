"""Our folder queue against python-task-queue's FileQueue, in turn, on the same file system, in the same run."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

from benchmarks.pairs import Figures, measure_pairs, show

CHECKOUT = Path(__file__).parent.parent


class Scale(NamedTuple):
    """How much is measured."""

    repeats: int
    tasks: int
    processes: tuple[int, ...]
    many: int  # tasks of the queue of which most are leased
    polls: int


WHOLE = Scale(repeats=3, tasks=10_000, processes=(1, 2, 4, 16), many=100_000, polls=500)
QUICK = Scale(repeats=2, tasks=2_000, processes=(1, 4), many=10_000, polls=100)


class Process:
    """A process of one side, up and waiting for a word."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
        )
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._out, self._in = self._process.stdout, self._process.stdin
        if self._out.readline() != "ready\n":
            sys.exit(f"{' '.join(command)} did not start: its message is above")

    def say(self, action: str, count: int = 0) -> None:
        self._in.write(f"{action} {count or ''}\n")
        self._in.flush()

    def answer(self) -> dict[str, Any]:  # Any: JSON
        line = self._out.readline()
        if not line:
            sys.exit("a process of the benchmark ended: its message is above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, action: str, count: int = 0) -> dict[str, Any]:
        self.say(action, count)
        return self.answer()

    def close(self) -> None:
        self._in.close()
        self._process.wait()
        self._out.close()


class Side(NamedTuple):
    """One side: the Python that has its library, and its module."""

    python: Path
    module: str

    @contextmanager
    def process(self, folder: str) -> Iterator[Process]:
        process = Process([str(self.python), "-m", self.module, folder])
        try:
            yield process
        finally:
            process.close()


def run(side: Side, scale: Scale, place: str) -> Figures:
    """All measures of one side; seconds, bytes or files, of which less is better."""
    figures: Figures = {}
    with tempfile.TemporaryDirectory(dir=place) as folder:
        for processes in scale.processes:
            queue = f"{folder}/queue{processes}"
            with ExitStack() as stack:
                workers = [stack.enter_context(side.process(queue)) for _ in range(processes)]
                inserted = workers[0].ask("insert", scale.tasks)
                if processes == scale.processes[0]:
                    figures[f"insert {scale.tasks:,}: s"] = inserted["wall"]
                    figures[f"insert {scale.tasks:,}: CPU s"] = inserted["cpu"]
                for worker in workers:
                    worker.say("drain")
                answers = [worker.answer() for worker in workers]
                name = f"lease + done {scale.tasks:,}, {processes} process{'es' if processes > 1 else ''}"
                figures[f"{name}: s"] = max(answer["wall"] for answer in answers)
                figures[f"{name}: CPU s"] = sum(answer["cpu"] for answer in answers)
                left = scale.tasks - sum(answer["tasks"] for answer in answers)
                if left:
                    print(
                        f"{side.module}: {left:,} of {scale.tasks:,} tasks are leased, but to none of {processes} processes"
                    )
        figures |= _measure_many(side, scale, f"{folder}/many")
    return figures


def _measure_many(side: Side, scale: Scale, queue: str) -> Figures:
    """A large queue: its files, its status, and what a lease and an idle look cost when most are leased."""
    figures: Figures = {}
    name = f"{scale.many:,} tasks"
    with side.process(queue) as process:
        process.ask("insert", scale.many)
        figures[f"{name}: files"], figures[f"{name}: MB on disk"] = _occupied(queue)
        figures[f"{name}: status, s"] = process.ask("status")["wall"]
        process.ask("hold", scale.many * 9 // 10)
    with side.process(queue) as process:
        seconds = process.ask("poll", scale.polls)["seconds"]
        figures[f"{name}, 90 % leased: first lease, ms"] = 1e3 * seconds[0]
        figures[f"{name}, 90 % leased: lease, mean ms"] = 1e3 * mean(seconds)
        figures[f"{name}, 90 % leased: lease, median ms"] = 1e3 * median(seconds)
        figures[f"{name}, 90 % leased: lease, 99th of 100 ms"] = 1e3 * sorted(seconds)[len(seconds) * 99 // 100]
        process.ask("hold", scale.many - scale.many * 9 // 10 - scale.polls)
    time.sleep(3)  # a worker that finds nothing has been waiting; files changed just now cost one more look
    with side.process(queue) as process:
        seconds = process.ask("poll", 21)["seconds"]
        figures[f"{name}, all leased: first poll, ms"] = 1e3 * seconds[0]
        figures[f"{name}, all leased: later polls, median ms"] = 1e3 * median(seconds[1:])
    return figures


def _occupied(folder: str) -> tuple[float, float]:
    """How many files a folder holds, and their megabytes on disk with those of the folders."""
    files = blocks = 0
    for path, _, names in os.walk(folder):
        files += len(names)
        blocks += os.lstat(path).st_blocks + sum(os.lstat(f"{path}/{name}").st_blocks for name in names)
    return files, blocks * 512 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="virtual environment that has task-queue")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"), help="where the queues lie for a while")
    parser.add_argument("--quick", action="store_true", help="a first look, in seconds: no figures to quote")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scale = QUICK if options.quick else WHOLE
    options.folder.mkdir(parents=True, exist_ok=True)
    place = str(options.folder.absolute())
    ours = Side(Path(sys.executable), "benchmarks.queue_ours")
    theirs = Side(options.against.absolute() / "bin" / "python", "benchmarks.queue_theirs")
    rows = measure_pairs(scale.repeats, lambda: run(ours, scale, place), lambda: run(theirs, scale, place))
    show("Folder queue against python-task-queue's FileQueue", rows, repeats=scale.repeats, as_json=options.json)


if __name__ == "__main__":
    main()
