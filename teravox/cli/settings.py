"""`--set NAME=VALUE`: variables of a pipeline file in the place of its own."""

from __future__ import annotations

import re

import msgspec

_FIRST = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_NEXT = re.compile(r",(?=\s*[A-Za-z_][A-Za-z0-9_]*=)")


class Setting(msgspec.Struct, frozen=True):
    """One variable and its value."""

    name: str
    value: str


def parse_settings(text: str) -> tuple[Setting, ...]:
    """Settings as they are typed, with commas between; a value may hold commas that no further NAME= follows."""
    settings = []
    for part in _NEXT.split(text) if text.strip() else ():
        found = _FIRST.fullmatch(part)
        if found is None:
            raise ValueError(f"expected NAME=VALUE, got {part[:80]!r}")
        settings.append(Setting(found[1], found[2]))
    return tuple(settings)


def say_settings(settings: tuple[Setting, ...]) -> str:
    return ",".join(f"{setting.name}={setting.value}" for setting in settings)
