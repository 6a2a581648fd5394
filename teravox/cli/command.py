"""A command is one declaration: its fields are its options, its docstring is its help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from teravox.cli.given import Given
from teravox.pipeline.registry import Registry

if TYPE_CHECKING:
    from teravox.cli.catalog import Catalog
    from teravox.cli.fields import Field


class Call(msgspec.Struct, frozen=True):
    """How a command was called."""

    command: str  # the command line, for the record
    registry: Registry
    given: Mapping[str, Given]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file in `commands` declares; subclass it as `class Status(Command, frozen=True)`."""

    @classmethod
    def arrange(cls, words: Sequence[str], own: Sequence[Field], catalog: Catalog) -> Sequence[str]:  # noqa: ARG003 - a command may need them
        """The words behind this command as its options take them; one that is told another command may turn that into a word."""
        return words

    def run(self, call: Call) -> int:
        """Do it; the exit code, as exit_codes.py lists them."""
        raise NotImplementedError
