"""The situations that go wrong, one class each; every text says what was found and what to do.

`sort` says how a worker treats the error, see `failure.py`; `exit_code` is what a command ends with.
"""

from __future__ import annotations

from typing import ClassVar

from teravox.pipeline.failure import Sort


class TeravoxError(Exception):
    """A situation that the person at the keyboard can do something about."""

    sort: ClassVar[Sort] = "error"
    exit_code: ClassVar[int] = 1


class BadUsage(TeravoxError):
    """The command line, its environment variables or a config file say something that cannot be meant."""

    sort = "bad input"
    exit_code = 2


class BadMessage(TeravoxError):
    """A message in a queue is not a task that this installation knows."""

    sort = "bad message"


class BadKind(TeravoxError):
    """A declared kind breaks the rules of declarations; said while it is registered."""

    exit_code = 2


class BadInput(TeravoxError):
    """The data are not what the job needs; trying again changes nothing."""

    sort = "bad input"


class Fatal(TeravoxError):
    """This worker can do nothing useful any more: wrong credentials, the layer is gone."""

    sort = "fatal"
    exit_code = 3


class Transient(TeravoxError):
    """It may work in a moment: a network error, an overloaded server."""

    sort = "transient"


class TooLittleMemory(TeravoxError):
    """A task expects to need more memory than it may have here."""

    sort = "out of memory"


class QueueTrouble(Fatal):
    """The queue cannot be reached, read or written."""


class CannotSay(TeravoxError):
    """The queue has no way to answer this question."""

    exit_code = 2
