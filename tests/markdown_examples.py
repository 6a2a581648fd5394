"""Takes the examples out of a Markdown page and runs them, in order, in one folder.

    ```console            `$ ` begins a command, `> ` continues it, other lines are what it prints; none: anything.
    ```python             runs as a program; with `# file: NAME` as its first line it is written to NAME instead.

In expected output `…` stands for any text within a line, and on a line of its own for any lines.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = "# file: "
PATIENCE = 120  # seconds after which an example is stuck


class Example(NamedTuple):
    """A program or a command, where it stands, and what it should print."""

    line: int
    words: list[str]
    shown: str
    expected: str


def examples(page: Path, folder: Path) -> Iterator[Example]:
    """The examples of a page; those that are files are written to the folder when their turn comes."""
    text = page.read_text()
    for found in FENCE.finditer(text):
        language, block = found.groups()
        line = text.count("\n", 0, found.start()) + 2
        if language == "console":
            yield from _commands(block, line)
        elif block.startswith(FILE):
            name = block.split("\n", 1)[0].removeprefix(FILE).strip()
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(block)
        else:
            yield Example(line, [sys.executable, "-c", block], block, "")


def run(example: Example, folder: Path, environ: Mapping[str, str]) -> None:
    """Run an example; AssertionError says what it printed if that is not what the page says."""
    process = subprocess.run(
        example.words,
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    where = f"line {example.line}: {example.shown}"
    assert process.returncode == 0, f"{where}\nended with {process.returncode} and printed:\n{process.stdout}"
    if example.expected:
        assert matches(process.stdout, example.expected), (
            f"{where}\nthe page says:\n{example.expected}\nit printed:\n{process.stdout}"
        )


def matches(printed: str, expected: str) -> bool:
    """Whether the output is what the page says, blanks at the ends of lines apart."""
    pattern = ""
    for line in expected.rstrip().split("\n"):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += r"[^\n]*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"\n"
    lines = "".join(line.rstrip() + "\n" for line in printed.rstrip().split("\n"))
    return re.fullmatch(pattern, lines) is not None


def _commands(block: str, first: int) -> Iterator[Example]:
    command: list[str] = []
    expected: list[str] = []
    began = first
    for number, line in enumerate([*block.split("\n"), "$ "], first):
        if line.startswith("$ "):
            if command:
                text = "\n".join(command)
                words = ["bash", "-e", "-o", "pipefail", "-c", text]
                yield Example(began, words, text, "\n".join(expected).strip("\n"))
            command, expected, began = [line[2:]], [], number
        elif line.startswith("> ") and not expected:
            command.append(line[2:])
        else:
            expected.append(line)
