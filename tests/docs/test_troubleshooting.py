"""Every sentence of the page about troubles is one that the program says, and its exit codes are the program's."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

import teravox
from teravox.pipeline.exit_codes import ExitCode

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text()
GAP = "…"  # on the page, and for what is filled in


def rows() -> list[list[str]]:
    lines = [
        line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| sentence"))
    ]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def sentences() -> list[str]:
    return [row[0].strip("`") for row in rows() if row[0].startswith("`")]


def say(node: ast.AST) -> str:
    """The text of an expression, with a gap for each value that is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(say, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return say(left) + say(right)
    return GAP


@lru_cache(maxsize=1)
def said() -> str:
    """All texts of the program, a line each; one whose end is filled in may go on with any other."""
    texts = []
    for file in Path(teravox.__file__).parent.rglob("*.py"):
        texts += [
            say(node)
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Constant | ast.JoinedStr)
        ]
    return "\n".join(text.replace("\n", " ").replace("`", "") for text in texts if " " in text)


def is_said(sentence: str) -> bool:
    return sentence.replace("`", "") in said()


@pytest.mark.parametrize("sentence", sentences())
def test_the_sentence_is_said_by_the_program(sentence: str) -> None:
    assert is_said(sentence), f"nothing in the program says: {sentence}"


def test_a_sentence_that_nobody_says_is_found() -> None:
    assert not is_said("there is no layer at …: it has no info at all")


def test_the_page_has_sentences() -> None:
    assert len(sentences()) > 30


def test_the_exit_codes_are_those_of_the_program() -> None:
    listed = {(int(code), name, meaning) for code, name, meaning in (row for row in rows() if row[0].isdigit())}

    assert listed == {(int(code), code.name, code.meaning) for code in ExitCode}


def test_each_trouble_has_a_remedy() -> None:
    assert [row for row in rows() if len(row) != 3 or not re.search(r"\w", row[2])] == []
