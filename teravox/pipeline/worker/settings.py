"""How a worker works."""

from __future__ import annotations

import msgspec


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks at once, for how long, and what is done about failures."""

    processes: int = 1
    lease_sec: float = 60.0
    tries: int = 3
    grace: float = 0.0  # seconds that running tasks may take to finish after SIGTERM or SIGINT
    exit_on_empty: bool = False
    idle: float = 0.0  # seconds for which the queue must have been empty before `exit_on_empty` ends the worker
    num_tasks: int | None = None  # stop after so many, in all processes together
    min_sec: float | None = None  # take no new task after so many seconds
    task_timeout: float | None = None  # seconds after which a task counts as hung
    memory: int | None = None  # bytes that all processes together may use; None: what the machine grants
    durable: bool = False  # files count as written when they are on the disk
    plugins: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()  # prefixes that a task's layers must lie below; empty: anywhere
    quiet: bool = False
    log_json: bool = False
    health_file: str | None = None  # touched while the worker is well


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a worker's run; `exit_code` is one of exit_codes.py."""

    done: int
    failed: int  # went to the dead letters
    retried: int
    released: int
    unfinished: int = 0  # jobs whose last duties failed; the same job again does them
    stopped_by: str  # "empty", "num-tasks", "min-sec", "signal", "fatal"
    fatal: str = ""
    exit_code: int = 0
