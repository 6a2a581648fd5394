"""Options as a pipeline file gives them, in TOML's own types or as they would be typed, brought to what is typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from teravox.cli.values import core_of
from teravox.pipeline.box import Box


def as_typed(kind: Any, value: Any) -> str:  # Any: a type, as annotations hold them, and whatever TOML holds
    """The text that means this value for an option of this type; ValueError if TOML's type cannot be meant."""
    core = core_of(kind)
    if isinstance(value, bool):
        if core is not bool:
            raise ValueError(f"{_toml(value)} is for options that are on or off, and this one takes a value")
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        if core is bool:
            raise ValueError(f"expected true or false, got {value}")
        leaves = set(_leaves(kind))
        if not {int, float} & leaves:
            raise ValueError(f'expected a text in quotes, got the number {value}; write "{value}"')
        if isinstance(value, float) and float not in leaves:
            raise ValueError(f"expected a whole number, got {value}")
        return repr(value)
    if isinstance(value, list):
        return _as_list(core, value)
    raise ValueError(f"expected a text, a number, true or false, or a list of these, got {_sort(value)}")


def _as_list(core: Any, values: list[Any]) -> str:
    if core is Box:
        if len(values) != 2 or not all(isinstance(corner, list) for corner in values):
            raise ValueError('expected two corners, as in [[0, 0, 0], [512, 512, 64]] or "0,0,0:512,512,64"')
        return ":".join(",".join(as_typed(int, part) for part in corner) for corner in values)
    if get_origin(core) is not tuple:
        raise ValueError("expected a single value, got a list")
    element = get_args(core)[0]
    texts = []
    for value in values:
        if isinstance(value, list):
            raise ValueError("expected a list of single values, got lists within it")  # noqa: TRY004 - as all that cannot be meant
        text = as_typed(element, value)
        if "," in text and core_of(element) is str:
            raise ValueError(f"{text!r} holds a comma, which stands between the values of a list")
        texts.append(text)
    return ",".join(texts)


def _leaves(kind: Any) -> Iterator[Any]:
    """The plain types that a type is made of."""
    if get_origin(kind) is Annotated:
        yield from _leaves(get_args(kind)[0])
    elif get_args(kind):
        for part in get_args(kind):
            yield from _leaves(part)
    else:
        yield kind


def _toml(value: bool) -> str:
    return "true" if value else "false"


def _sort(value: Any) -> str:
    return "a table" if isinstance(value, dict) else f"a {type(value).__name__}"
