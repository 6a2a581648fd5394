"""Which commands there are: the built-in ones and the kinds; a file is imported when its command is asked for."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

import msgspec

from teravox.cli import commands, general
from teravox.cli.command import Command
from teravox.cli.fields import Field, fields_of
from teravox.cli.parse import did_you_mean
from teravox.cli.run_kind import HowItIsAsked, HowItIsRun, asks
from teravox.cli.stages import StagedCommand
from teravox.pipeline.errors import BadKind, BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.registry import Registry

WORD = re.compile(r"[a-z][a-z0-9-]*")  # of a command


class Section(NamedTuple):
    """Options that belong together."""

    title: str
    fields: tuple[Field, ...]


class Declared(NamedTuple):
    """A command, as its declaration says."""

    name: str
    struct: type[msgspec.Struct]
    sections: tuple[Section, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(field for section in self.sections for field in section.fields)

    @property
    def positionals(self) -> list[Field]:
        return [field for field in self.fields if field.positional]

    @property
    def text(self) -> str:
        return inspect.cleandoc(self.struct.__doc__ or "")

    @property
    def is_kind(self) -> bool:
        return issubclass(self.struct, Job)

    @property
    def has_stages(self) -> bool:
        return issubclass(self.struct, StagedCommand)


class Catalog:
    """All commands by their words."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._files: dict[str, str] = {}
        self.groups = registry.groups()
        for _, module, is_package in pkgutil.walk_packages(commands.__path__, f"{commands.__name__}."):
            name = module.removeprefix(f"{commands.__name__}.").replace(".", " ").removesuffix("_").replace("_", "-")
            if is_package:
                self.groups[name] = first_line(importlib.import_module(module).__doc__)
            else:
                self._files[name] = module
        for name in registry:
            if name in self._files:
                raise BadKind(f"a kind cannot be named {name!r}: this is a command of teravox; rename its file")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._files, *self.registry}))

    def longest_match(self, words: Sequence[str]) -> str | None:
        """The command that these words begin with."""
        for length in range(len(words), 0, -1):
            name = " ".join(words[:length])
            if name in self._files or name in self.registry:
                return name
        return None

    def open(self, name: str) -> Declared:
        """What a command declares."""
        struct: type[msgspec.Struct] | None = self.registry.find(name)
        if struct is None:
            struct = _the_command(self._files[name])
        sections = [Section(f"Options of {name}", fields_of(struct))]
        if issubclass(struct, StagedCommand):
            shared = fields_of(StagedCommand)
            names = {field.name for field in shared}
            own = [field for field in sections[0].fields if field.name not in names]
            sections = [Section(sections[0].title, tuple(own)), Section("How it is run", shared)]
        if name in self.registry:
            sections.append(Section("How it is run", fields_of(HowItIsRun)))
        if issubclass(struct, Job) and asks(struct):
            sections.append(Section("Before it is done", fields_of(HowItIsAsked)))
        declared = Declared(name, struct, tuple(sections))
        _refuse_doubles(declared)
        return declared

    def summary(self, name: str) -> str:
        """What a command does, in one line."""
        struct: type[msgspec.Struct] | None = self.registry.find(name)
        return first_line((struct or _the_command(self._files[name])).__doc__)

    def unknown(self, words: Sequence[str]) -> BadUsage:
        """What to say of words that are no command."""
        words = list(takewhile(WORD.fullmatch, words)) or words[:1]
        said = " ".join(words)
        near = did_you_mean(said, [*self, *self.groups])
        same_end = [name for name in self if name.split(" ")[-1] == words[0]]
        if not near and same_end:
            near = f"; did you mean {' or '.join(same_end)}?"
        return BadUsage(f"there is no command {said[:80]!r}{near or '; see: teravox --help'}")


def first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]


def _the_command(module: str) -> type[Command]:
    (command,) = [
        value
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, type) and issubclass(value, Command) and value.__module__ == module
    ]
    return command


def _refuse_doubles(declared: Declared) -> None:
    seen: dict[str, str] = {}
    for section in (*declared.sections, Section("every command", general.FIELDS)):
        for field in section.fields:
            for word in filter(None, (field.option, field.short and f"-{field.short}")):
                if word in seen:
                    raise BadKind(
                        f"{declared.name}: {word} is declared by {seen[word]!r} and by {section.title!r}; rename the field"
                    )
                seen[word] = section.title
