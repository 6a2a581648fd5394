"""The page for those who come from Igneous names commands and options that exist, in both programs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from teravox.cli.catalog import Catalog
from teravox.pipeline.registry import Registry

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "migrate-from-igneous.md").read_text()
IGNEOUS = CHECKOUT / "build" / "igneous" / "bin" / "python"
OF_ALL = "in many commands"
SPAN = re.compile(r"`([^`]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
CATALOG = Catalog(Registry())
LIST_OF_OPTIONS = """
import json
import click
from igneous_cli.cli import main

def walk(command, words):
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from walk(inner, [*words, name])
    else:
        options = [one for one in command.params if isinstance(one, click.Option)]
        yield " ".join(words), [word for one in options for word in one.opts + one.secondary_opts if word[:2] == "--"]

print(json.dumps({name: sorted(set(options)) for name, options in walk(main, [])}, indent=1, sort_keys=True))
"""
COMMANDS = CHECKOUT / "tests" / "golden" / "igneous_commands.json"  # of igneous-pipeline 4.37


def sections() -> dict[str, str]:
    """The parts of the page about options, by the command of Igneous that they are about."""
    parts = re.split(r"^### (.+)$", PAGE.split("\n## A job, in both")[0], flags=re.MULTILINE)[1:]
    return {name.strip("`").lower(): text for name, text in zip(parts[::2], parts[1::2], strict=True)}


def rows(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if line.startswith("| `"):
            ours, theirs = line.strip("| ").split(" | ")
            yield ours, theirs


def commands() -> dict[str, str]:
    """Our side of the table of commands, by theirs."""
    table = PAGE.split("\n## The commands\n")[1].split("\n## ")[0]
    return {theirs.strip("`"): ours for theirs, ours in rows(table)}


def options_of(command: str) -> set[str]:
    """What one of our commands takes, with the opposites of flags."""
    name = CATALOG.longest_match(command.split(" "))
    assert name is not None, f"there is no command teravox {command}"
    fields = CATALOG.open(name).fields
    return {field.option for field in fields} | {f"--no-{field.option[2:]}" for field in fields if field.is_flag}


def named(text: str) -> Iterator[str]:
    """The commands of ours in a text."""
    for span in SPAN.findall(text):
        if span.startswith("teravox "):
            yield span.removeprefix("teravox ")


@lru_cache(maxsize=1)
def igneous() -> dict[str, set[str]]:
    """The options of each command of Igneous: as written down, and asked again where `make bench` has installed it."""
    written = json.loads(COMMANDS.read_text())
    if IGNEOUS.exists():
        said = subprocess.run([IGNEOUS, "-c", LIST_OF_OPTIONS], capture_output=True, text=True, check=True).stdout
        assert json.loads(said) == written
    return {f"igneous {name}": set(options) for name, options in written.items()}


def test_commands_of_ours_exist_with_their_options() -> None:
    for command in named(PAGE):
        unknown = set(OPTION.findall(command)) - options_of(command)

        assert unknown == set(), f"teravox {command}"


def test_options_of_ours_exist_where_they_are_said_to() -> None:
    everywhere = {option for name in CATALOG for option in options_of(name)}
    for theirs, text in sections().items():
        for _, ours in rows(text):
            others = list(named(ours))
            target = commands().get(theirs.removeprefix("igneous "), commands().get(theirs, ""))
            allowed = everywhere if theirs == OF_ALL else set()
            for command in [*named(target), *others]:
                allowed |= options_of(command)

            assert set(OPTION.findall(ours)) <= allowed, f"{theirs}: {ours}"


def test_every_command_of_igneous_has_its_row() -> None:
    assert sorted(commands()) == sorted(igneous())


def test_each_option_of_igneous_is_ours_or_has_its_row() -> None:
    explained = {
        name: set(OPTION.findall(" ".join(theirs for theirs, _ in rows(text)))) for name, text in sections().items()
    }
    for theirs, options in igneous().items():
        ours = {option for command in named(commands()[theirs]) for option in options_of(command)}

        assert options - ours - explained.get(theirs, set()) - explained[OF_ALL] == set(), theirs
        assert explained.get(theirs, set()) <= options, f"{theirs} has no such option"
