"""What a command's exit code says; the one table, shown by `teravox --help` and in the docs."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The same for every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    FATAL = 3
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        return _MEANING[self]


_MEANING = {
    ExitCode.DONE: "all that was asked for is done; a worker that was told to stop has stopped in order",
    ExitCode.FAILED: "something failed: tasks went to the dead letters, a job's last duties were not done, `status` found some there, or `verify` found damage",
    ExitCode.USAGE: "the command, an option or a file cannot be meant; nothing was done",
    ExitCode.FATAL: "the work cannot go on: credentials, a layer that is gone, a queue out of reach",
    ExitCode.INTERRUPTED: "ended at once, by a second signal or Ctrl-C; leases that could be given back were",
}
