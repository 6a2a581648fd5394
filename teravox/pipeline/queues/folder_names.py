"""How a folder queue names its files, so that the name alone says what a task's state is.

    0--{id}.json                           waits, never leased
    {deadline}--{id}.{attempt}.{token}.json  leased until the deadline, then free
    {deadline}--{id}.{attempt}.json          given back; free from the deadline on

Deadlines are whole seconds of Unix time, rounded up. `{number}--{rest}.json` is the form of python-task-queue's
FileQueue, so `ptq` works on the folder.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"(\d{1,12})--([0-9a-f]{32})(?:\.(\d{1,6})(?:\.([0-9a-f]{1,40}))?)?\.json")


class Name(NamedTuple):
    """The parts of a task's file name in `queue/`."""

    deadline: int
    id: str
    attempt: int = 0
    token: str = ""

    def __str__(self) -> str:
        if self.token:
            return f"{self.deadline}--{self.id}.{self.attempt}.{self.token}.json"
        if self.attempt:
            return f"{self.deadline}--{self.id}.{self.attempt}.json"
        return f"{self.deadline}--{self.id}.json"


def parse(name: str) -> Name | None:
    """The parts of a name, or None if the file is not a task of ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    deadline, id, attempt, token = match.groups()
    return Name(int(deadline), id, int(attempt or 0), token or "")


def fresh(id: str) -> str:
    """The name of a task that was never leased."""
    return f"0--{id}.json"


def deadline_after(now: float, seconds: float) -> int:
    """The first whole second at which `seconds` have passed for certain."""
    return math.ceil(now + seconds)


def done_path(id: str) -> str:
    """Where a finished task lies: sixteen folders keep each of them small."""
    return f"done/{id[0]}/{id}.json"


def failed_path(id: str) -> str:
    return f"failed/{id}.json"


def report_path(id: str, attempt: int) -> str:
    """Why one attempt failed; a file for each attempt, so no holder can overwrite another's."""
    return f"reports/{id}.{attempt}.json"


FOLDERS = ("queue", "failed", "reports", "workers", "tmp", "done", *(f"done/{digit:x}" for digit in range(16)))
