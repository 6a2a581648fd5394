"""Our folder queue against python-task-queue's FileQueue on a file system that two clients share, in the same run."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.folder_queue import CHECKOUT, Side
from benchmarks.pairs import Figures, measure_pairs, show

PROCESSES = 8  # every other one at the second mount

Mounts = tuple[Path, Path]


class Scale(NamedTuple):
    """How much is measured."""

    repeats: int
    tasks: int


WHOLE = Scale(repeats=3, tasks=400)
QUICK = Scale(repeats=1, tasks=80)


def run(side: Side, scale: Scale, mounts: Mounts) -> Figures:
    """Seconds to put tasks into a queue through the first mount, and to lease and finish them through both."""
    with tempfile.TemporaryDirectory(dir=mounts[0]) as folder, ExitStack() as stack:
        places = [f"{mount}/{Path(folder).name}/queue" for mount in mounts]
        workers = [stack.enter_context(side.process(places[0]))]
        inserted = workers[0].ask("insert", scale.tasks)
        workers += [stack.enter_context(side.process(places[number % 2])) for number in range(1, PROCESSES)]
        for worker in workers:
            worker.say("drain")
        answers = [worker.answer() for worker in workers]
        done = sum(answer["tasks"] for answer in answers)
        seconds = max(answer["wall"] for answer in answers)
    if done != scale.tasks:
        print(f"{side.module}: {done:,} tasks were said to be done, of {scale.tasks:,}", file=sys.stderr)
    print(
        f"{side.module}: insert {scale.tasks / inserted['wall']:,.0f} tasks/s, "
        f"lease + done {scale.tasks / seconds:,.1f} tasks/s",
        file=sys.stderr,
    )
    return {
        f"insert {scale.tasks:,}: s": inserted["wall"],
        f"lease + done {scale.tasks:,}, {PROCESSES} processes on two mounts: s": seconds,
    }


def _own_mounts(stack: ExitStack) -> Mounts:
    """A CephFS that lasts as long as the run, as the tests start it."""
    sys.path.insert(0, str(CHECKOUT / "tests"))
    from servers.ceph import two_mounts
    from servers.daemon import Missing

    try:
        return stack.enter_context(two_mounts())
    except Missing as error:
        sys.exit(f"{error}; or name two mounts of one file system with --mounts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="virtual environment that has task-queue")
    parser.add_argument(
        "--mounts",
        type=Path,
        nargs=2,
        metavar=("ONE", "TWO"),
        help="folders that show the same files through two clients; without it a CephFS is started here",
    )
    parser.add_argument("--quick", action="store_true", help="a first look: no figures to quote")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scale = QUICK if options.quick else WHOLE
    ours = Side(Path(sys.executable), "benchmarks.queue_ours")
    theirs = Side(options.against.absolute() / "bin" / "python", "benchmarks.queue_theirs")
    with ExitStack() as stack:
        mounts = tuple(options.mounts) if options.mounts else _own_mounts(stack)
        rows = measure_pairs(scale.repeats, lambda: run(ours, scale, mounts), lambda: run(theirs, scale, mounts))
    show("Folder queues on a shared file system", rows, repeats=scale.repeats, as_json=options.json)


if __name__ == "__main__":
    main()
