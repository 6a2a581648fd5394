"""A command is one declaration: its fields are its options, its docstring is its help."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from teravox.cli.given import Given
from teravox.pipeline.registry import Registry


class Call(msgspec.Struct, frozen=True):
    """How a command was called."""

    command: str  # the command line, for the record
    registry: Registry
    given: Mapping[str, Given]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file in `commands` declares; subclass it as `class Status(Command, frozen=True)`."""

    def run(self, call: Call) -> int:
        """Do it; the exit code, as exit_codes.py lists them."""
        raise NotImplementedError
