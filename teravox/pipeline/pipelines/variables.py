"""The variables of a pipeline file: `{NAME}` in its strings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from teravox.pipeline.errors import BadUsage

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def replace_variables(value: Any, variables: Mapping[str, str], where: str) -> Any:  # Any: whatever TOML holds
    """The value with the variables of all its strings replaced; BadUsage names a variable that is not there."""
    if isinstance(value, str):
        return _BRACES.sub(lambda found: _say(found, variables, where), value)
    if isinstance(value, list):
        return [replace_variables(part, variables, where) for part in value]
    if isinstance(value, dict):
        return {name: replace_variables(part, variables, where) for name, part in value.items()}
    return value


def read_variables(said: object, settings: Mapping[str, str], path: str) -> dict[str, str]:
    """The table `[vars]` with the settings of the command line in the place of its own."""
    if not isinstance(said, dict):
        raise BadUsage(f"{path}: vars must be a table: [vars]")
    variables = {}
    for name, value in said.items():
        if not NAME.fullmatch(name):
            raise BadUsage(f"{path}: [vars] {name!r}: a variable's name is made of letters, digits and _")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadUsage(f"{path}: [vars] {name} must be a text or a number")
        variables[name] = str(value)
    for name in settings:
        if name not in variables:
            raise BadUsage(f"--set: {path} has no variable {name!r} in [vars]{did_you_mean(name, variables)}")
    return {**variables, **settings}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a word that is not known: the one that it is near to, or all."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are: {', '.join(known)}" if known else "; there are none"


def _say(found: re.Match[str], variables: Mapping[str, str], where: str) -> str:
    text = found.group()
    if text in {"{{", "}}"}:
        return text[0]
    name = found[1]
    if name is None:
        raise BadUsage(f"{where}: a single {text!r}; write {text * 2} for a brace, or {{NAME}} for a variable")
    if name not in variables:
        raise BadUsage(f"{where}: there is no variable {name!r} in [vars]{did_you_mean(name, variables)}")
    return variables[name]
