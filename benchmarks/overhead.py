"""What a worker costs for each task, beside the task itself: `teravox execute` against the loop of `igneous execute`.

Each side works through a queue of one empty task and one of many; the difference, by the number of tasks, is the
overhead, free of the time that the program takes to start. Ours includes the child process and the ledger.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.pairs import Figures, measure_pairs, show

CHECKOUT = Path(__file__).parent.parent
Commands = Callable[[str, int], tuple[list[str], list[str]]]  # folder, count → what fills the queue, what empties it


def run(commands: Commands, count: int, place: str) -> Figures:
    """Milliseconds for each of `count` tasks, and the seconds that the first one takes with the start."""
    wall_one, cpu_one = _empty_a_queue(commands, 1, place)
    wall_many, cpu_many = _empty_a_queue(commands, count, place)
    return {
        "overhead of a task: ms": 1e3 * (wall_many - wall_one) / (count - 1),
        "overhead of a task: CPU ms": 1e3 * (cpu_many - cpu_one) / (count - 1),
        "start, one task, end: s": wall_one,
        "start, one task, end: CPU s": cpu_one,
    }


def _empty_a_queue(commands: Commands, count: int, place: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(dir=place) as folder:
        fill, empty = commands(folder, count)
        subprocess.run(fill, check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started = time.perf_counter()
        process = subprocess.Popen(empty, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(empty)} ended with {process.returncode}")
        return wall, usage.ru_utime + usage.ru_stime


def our_commands(folder: str, count: int) -> tuple[list[str], list[str]]:
    teravox, plugin = str(Path(sys.executable).parent / "teravox"), ["--plugin", "benchmarks/nothing.py"]
    queue = f"{folder}/queue"
    return (
        [teravox, *plugin, "nothing", f"{folder}/layer", "--count", str(count), "--queue", queue],
        [teravox, *plugin, "execute", queue, "--exit-on-empty"],
    )


def their_commands(python: str) -> Commands:
    def commands(folder: str, count: int) -> tuple[list[str], list[str]]:
        script = [python, "-m", "benchmarks.overhead_theirs"]
        return [*script, "insert", folder, str(count)], [*script, "poll", folder, str(count)]

    return commands


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="virtual environment that has task-queue")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"), help="where the queues lie for a while")
    parser.add_argument("--quick", action="store_true", help="a first look, in seconds: no figures to quote")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    repeats, count = (2, 300) if options.quick else (5, 3000)
    options.folder.mkdir(parents=True, exist_ok=True)
    place = str(options.folder.absolute())
    theirs = their_commands(str(options.against.absolute() / "bin" / "python"))
    rows = measure_pairs(repeats, lambda: run(our_commands, count, place), lambda: run(theirs, count, place))
    show("Worker against the loop of igneous execute", rows, repeats=repeats, as_json=options.json)


if __name__ == "__main__":
    main()
