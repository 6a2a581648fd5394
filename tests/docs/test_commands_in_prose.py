"""Commands that pages show without running them, since they need a cluster, a cloud or a browser, are such that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from teravox.cli import general
from teravox.cli.catalog import Catalog
from teravox.pipeline.registry import Registry

CHECKOUT = Path(__file__).parents[2]
PAGES = [
    CHECKOUT / "README.md",
    *(page for page in sorted((CHECKOUT / "docs").rglob("*.md")) if page.name != "commands.md"),
]
CATALOG = Catalog(Registry())
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = {"sh", "text", "bash", "yaml"}  # blocks of these are not run
SPAN = re.compile(r"`teravox ([^`]+)`")
FORM = re.compile(r"[a-z]+ \d")  # what a file of ours says that it is
PLANS = "plan"  # takes another command with its options
OWN_KINDS = {"voxels"}  # of a plugin that a page writes
GENERAL = {field.option for field in general.FIELDS} | {"--version", "--help"}


def commands(text: str) -> Iterator[str]:
    """What follows `teravox` in a page, in code between words and in blocks that are not run."""
    blocks = [block for language, block in FENCE.findall(text) if language in SHOWN]
    for line in "\n".join(blocks).replace("\\\n> ", "").replace("\\\n", "").splitlines():
        found = re.match(r"\s*(?:\$ )?teravox (.+)", line)
        if found:
            yield found[1]
    yield from SPAN.findall(FENCE.sub("", text))


def fault(command: str) -> str | None:
    """What is wrong with a command: nothing, or words that no command has."""
    words = [
        word.rstrip(".,;") for word in shlex.split(command.replace("'", "").partition(" #")[0].partition(" | ")[0])
    ]
    while words and words[0] == "--plugin":
        words = words[2:]
    if not words or words[0].startswith("-") or words[0] in OWN_KINDS or words[0].isupper() or words[0] == "…":
        return None
    name = CATALOG.longest_match(words)
    if name is None:
        joined = " ".join(words)
        return None if joined in CATALOG.groups or FORM.fullmatch(joined) else f"no command {joined}"
    fields = CATALOG.open(name).fields
    if name == PLANS and (planned := CATALOG.longest_match(words[1:])) is not None:
        fields += CATALOG.open(planned).fields
    known = GENERAL | {field.option for field in fields}
    known |= {f"--no-{field.option[2:]}" for field in fields if field.is_flag} | {
        f"-{field.short}" for field in fields if field.short
    }
    unknown = [word for word in words if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known]
    return f"{name}: {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_the_commands_of_a_page_exist(page: Path) -> None:
    assert [said for said in map(fault, commands(page.read_text())) if said] == []


def test_a_command_that_does_not_exist_is_found() -> None:
    text = "Say `teravox image upsample ./x`, and\n\n```sh\nteravox mesh forge ./x --sharded\n```\n"

    assert [fault(command) for command in commands(text)] == ["mesh forge: --sharded", "no command image upsample ./x"]
