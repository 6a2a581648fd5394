"""Tasks that do nothing, inserted and polled with python-task-queue as `igneous execute` does it."""

from __future__ import annotations

import sys

from taskqueue import TaskQueue, queueable


@queueable  # type: ignore[untyped-decorator]  # the library has no types
def nothing(number: int) -> None:
    """There is nothing to do."""


def main() -> None:
    action, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    queue = TaskQueue(f"fq://{folder}", progress=False)
    if action == "insert":
        from functools import partial

        queue.insert([partial(nothing, number) for number in range(count)])
    else:
        queue.poll(lease_seconds=60, verbose=True, tally=True, stop_fn=lambda executed: executed >= count)


if __name__ == "__main__":
    main()
