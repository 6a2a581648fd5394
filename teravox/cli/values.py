"""How values are written on the command line: each type is read from text and said as text in one way."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from teravox.cli.places import known_file, layer_or_file, layer_url, queue_url, whole_path
from teravox.cli.settings import Setting, parse_settings, say_settings
from teravox.pipeline.box import Box
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.options import Form
from teravox.pipeline.segmentation.steps import (
    Step,
    Steps,
    parse_step,
    parse_steps,
    read_steps_file,
    say_step,
    say_steps,
    say_steps_of,
)
from teravox.pipeline.units import parse_bytes, parse_seconds

NONE = "none"
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_POWER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?[eE]\+?[0-9]{1,2}", re.ASCII)
_YES = frozenset({"yes", "true", "on", "1"})
_NO = frozenset({"no", "false", "off", "0"})
_SIZES = {f"{letter}B": 1000**power for power, letter in enumerate("kMGTP", 1)}
_SIZES |= {f"{letter}iB": 1024**power for power, letter in enumerate("KMGTP", 1)}


class Writing(NamedTuple):
    """How the values of one type are written; `parse` raises ValueError with a sentence about the text."""

    parse: Callable[[str], Any]  # Any: as many types as there are options
    format: Callable[[Any], str]
    shown: str  # what stands for the value in help


def writing_of(kind: Any, form: Form | None = None) -> Writing:  # Any: a type, as annotations hold them
    """How values of a type are written; TypeError if the command line has no way to write it."""
    origin = get_origin(kind)
    if origin is Annotated:
        return writing_of(get_args(kind)[0], form)
    if origin in {Union, types.UnionType}:
        return _optional(kind, form)
    if origin is Literal:
        return _choice(get_args(kind))
    if origin is tuple and (kind, form) not in _WRITINGS:
        first, *others = get_args(kind)
        return _list(writing_of(first, form)) if others == [...] else _vector(first, 1 + len(others))
    if (kind, form) in _WRITINGS:
        return _WRITINGS[kind, form]
    raise TypeError(f"a value of type {kind} cannot be written on the command line")


def core_of(kind: Any) -> Any:  # Any: a type, as annotations hold them
    """A type without its annotations and without None."""
    if get_origin(kind) is Annotated:
        return core_of(get_args(kind)[0])
    if get_origin(kind) in {Union, types.UnionType}:
        inner = [part for part in get_args(kind) if part is not types.NoneType]
        return core_of(inner[0]) if len(inner) == 1 else kind
    return kind


def _optional(kind: Any, form: Form | None) -> Writing:
    inner = core_of(kind)
    if inner is kind:
        inner = Union[tuple(part for part in get_args(kind) if part is not types.NoneType)]  # noqa: UP007 - of what is found
        if (inner, form) not in _WRITINGS:
            raise TypeError(f"a value of type {kind} cannot be written on the command line")
    writing = _WRITINGS[inner, form] if (inner, form) in _WRITINGS else writing_of(inner, form)
    none = "" if form is None and inner in _MAY_BE_NONE else NONE
    return Writing(
        lambda text: None if text.strip() == none else writing.parse(text),
        lambda value: none if value is None else writing.format(value),
        writing.shown,
    )


def _choice(choices: tuple[str, ...]) -> Writing:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected {say_choices(choices)}, got {_quote(text)}")
        return text

    shown = "|".join(choices)
    return Writing(parse, str, shown if len(shown) <= 24 else "WORD")


def say_choices(choices: tuple[str, ...]) -> str:
    return " or ".join(part for part in (", ".join(choices[:-1]), choices[-1]) if part)


def _list(one: Writing) -> Writing:
    def parse(text: str) -> tuple[Any, ...]:
        if not text.strip():
            return ()
        parts = [part.strip() for part in text.split(",")]
        if "" in parts:
            raise ValueError(f"expected values with commas between them, got {_quote(text)}")
        return tuple(map(one.parse, parts))

    return Writing(parse, lambda values: ",".join(map(one.format, values)), f"{one.shown},…")


def _vector(kind: Any, length: int) -> Writing:
    one = writing_of(kind)
    sample = ("512,512,64" if core_of(kind) is int else "4.5,4.5,40").split(",")
    like = ",".join((sample * length)[:length] if length != 2 else sample[:2])
    noun = "whole numbers" if core_of(kind) is int else "numbers"

    def parse(text: str) -> tuple[Any, ...]:
        try:
            values = tuple(one.parse(part.strip()) for part in text.split(","))
        except ValueError:
            raise ValueError(f"expected {length} {noun} like {like}, got {_quote(text)}") from None
        if len(values) != length:
            raise ValueError(f"expected {length} {noun} like {like}, got {len(values)}")
        return values

    return Writing(parse, lambda values: ",".join(map(one.format, values)), ",".join("XYZTUVW"[:length]))


def _parse_box(text: str) -> Box:
    try:
        low, high = (_VEC.parse(corner) for corner in text.split(":"))
    except ValueError:
        raise ValueError(f"expected a box like 0,0,0:512,512,64, got {_quote(text)}") from None
    for axis, start, stop in zip("xyz", low, high, strict=True):
        if stop <= start:
            raise ValueError(
                f"expected a box that ends after it begins; {_quote(text)} runs from {start} to {stop} in {axis}"
            )
    return Box(low, high)


def _parse_bool(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"expected yes or no, got {_quote(text)}")
    return word in _YES


def _parse_int(text: str) -> int:
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return int(text)
    number = Decimal(text) if _POWER.fullmatch(text) else None
    if number is None or number != number.to_integral_value():
        raise ValueError(f"expected a whole number, got {_quote(text)}")
    return int(number)


def _parse_float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a number, got {_quote(text)}")
    return number


def _format_float(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1e16 else repr(float(value))


def _format_bytes(size: int) -> str:
    """The shortest way to write a size without rounding it."""
    written = [str(size)]
    for unit, one in _SIZES.items():
        number = Decimal(size) / one
        if number == round(number, 3) and number >= 1:
            written.append(f"{number.normalize():f}{unit}")
    return min(written, key=len)


def _format_seconds(seconds: float) -> str:
    for unit, one in (("h", 3600), ("m", 60)):
        if seconds >= one and seconds % one == 0:
            return f"{_format_float(seconds / one)}{unit}"
    return f"{_format_float(seconds)}s"


def _quote(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")


_INT = Writing(_parse_int, str, "N")
_FLOAT = Writing(_parse_float, _format_float, "X")
_WRITINGS: dict[tuple[Any, Form | None], Writing] = {
    (int, None): _INT,
    (int, "count"): _INT,
    (int, "bytes"): Writing(parse_bytes, _format_bytes, "SIZE"),
    (float, None): _FLOAT,
    (float, "seconds"): Writing(parse_seconds, _format_seconds, "TIME"),
    (bool, None): Writing(_parse_bool, lambda value: "yes" if value else "no", ""),
    (str, None): Writing(str, str, "TEXT"),
    (str, "layer"): Writing(layer_url, str, "LAYER"),
    (str, "file"): Writing(layer_url, str, "FILE"),
    (str, "queue"): Writing(queue_url, str, "QUEUE"),
    (str, "path"): Writing(whole_path, str, "PATH"),
    (KnownFile, None): Writing(known_file, lambda file: file.path, "PATH"),
    (KnownFile | str, "layer"): Writing(
        layer_or_file, lambda place: place.path if isinstance(place, KnownFile) else place, "LAYER|PATH"
    ),
    (Step, None): Writing(parse_step, say_step, "STEP"),
    (tuple[Step, ...], None): Writing(parse_steps, say_steps, "STEP"),
    (tuple[Setting, ...], None): Writing(parse_settings, say_settings, "NAME=VALUE"),
    (Steps, None): Writing(lambda text: read_steps_file(whole_path(text)), say_steps_of, "PATH"),
    (Box, None): Writing(_parse_box, str, "X0,Y0,Z0:X1,Y1,Z1"),
}
_MAY_BE_NONE = (str, Step, tuple[Step, ...])  # whose values may well be "none": nothing means None there
_VEC = writing_of(tuple[int, int, int])
