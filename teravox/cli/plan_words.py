"""Tells the words of `plan` from those of the command that is planned."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from teravox.cli.errors import BadOption
from teravox.cli.fields import Field, fields_of
from teravox.cli.run_kind import HowItIsAsked, HowItIsRun
from teravox.cli.stages import StagedCommand

if TYPE_CHECKING:
    from teravox.cli.catalog import Catalog

IGNORED = {field.name for how in (HowItIsRun, HowItIsAsked, StagedCommand) for field in fields_of(how)}


def gather_command(words: Sequence[str], own: Sequence[Field], catalog: Catalog) -> list[str]:
    """The same words with the command that is planned as one of them.

    Options before the command are `plan`'s. Behind it, those that it has are its own, and the others `plan`'s.
    """
    ours: list[str] = []
    theirs: list[str] = []
    rest = list(words)
    options = {field.option: field for field in own}
    shorts = {f"-{field.short}": field for field in own if field.short}
    known: dict[str, Field] = {}
    while rest:
        word = rest.pop(0)
        option = word.partition("=")[0]
        if word == "--":
            theirs += rest
            break
        if option in known:
            theirs.append(word)
            _move_value(word, known[option], rest, theirs)
        elif option in options or word in shorts:
            ours.append(word)
            _move_value(word, options.get(option) or shorts[word], rest, ours)
        elif not theirs and not word.startswith("-"):
            name = catalog.longest_match([word, *words_in_front(rest)]) or word
            theirs = name.split(" ")
            rest = rest[len(theirs) - 1 :]
            known = {field.option: field for field in fields_of_command(name, catalog)}
        else:
            (theirs or ours).append(word)
    return [*ours, *([shlex.join(theirs)] if theirs else [])]


def words_in_front(words: Sequence[str]) -> list[str]:
    """Those before the first option."""
    return list(takewhile(lambda word: not word.startswith("-"), words))


def fields_of_command(name: str, catalog: Catalog) -> list[Field]:
    """What a command takes that matters to a plan; nothing, if it is none."""
    if name not in set(catalog):
        return []
    return [field for field in catalog.open(name).sections[0].fields if field.name not in IGNORED]


def refuse_ignored(words: Sequence[str]) -> None:
    """A plan runs nothing, so how it is run means nothing to it."""
    options = {f"--{name.replace('_', '-')}" for name in IGNORED}
    for word in words:
        option = word.partition("=")[0]
        if option in options or option == "-p":
            raise BadOption(f"{option}: means nothing to a plan, which runs nothing; leave it out")


def _move_value(word: str, field: Field, rest: list[str], to: list[str]) -> None:
    if not field.is_flag and "=" not in word and rest:
        to.append(rest.pop(0))
