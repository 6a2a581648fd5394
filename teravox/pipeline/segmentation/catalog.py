"""Which steps there are, with their parameters, for people and for machines."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from teravox.pipeline.operator_modules import named_modules
from teravox.pipeline.segmentation.carried import is_file
from teravox.pipeline.segmentation.step_functions import Declared, Parameter, built_in, declare, find, summary
from teravox.pipeline.segmentation.steps import Step, What

KINDS: tuple[What, ...] = get_args(What)
OWN = "your own"


class Listed(NamedTuple):
    """A step by its name, and what it is for: one of the three, or `your own`, which may be any."""

    what: str
    name: str
    declared: Declared

    @property
    def summary(self) -> str:
        return summary(self.declared)

    @property
    def text(self) -> str:
        return inspect.getdoc(self.declared.function) or ""


def all_steps() -> Iterator[Listed]:
    """The built-in steps, and the functions of the modules that the operator named."""
    for what in KINDS:
        for name in built_in(what):
            yield Listed(what, name, find(what, Step(name), f"--{what}"))
    for module in filter(sys.modules.__contains__, named_modules()):
        for name, value in vars(sys.modules[module]).items():
            is_own = isinstance(value, types.FunctionType) and value.__module__ == module
            if is_own and not name.startswith("_"):
                yield Listed(OWN, f"{module}:{name}", declare(value))


def say_type(parameter: Parameter) -> str:
    """What a parameter may be."""
    return "anything" if parameter.kind is inspect.Parameter.empty else _say(parameter.kind)


def say_default(parameter: Parameter) -> str:
    """The default of a parameter as it is typed; nothing where it has none."""
    if parameter.is_required:
        return ""
    return msgspec.json.encode(parameter.default, enc_hook=str).decode()


def _say(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(map(str, parts))
    if hasattr(kind, "__metadata__"):
        return _say(parts[0])
    if origin is tuple:
        inner = [_say(part) for part in parts if part is not ...]
        return f"[{inner[0]}, …]" if ... in parts else f"[{', '.join(inner)}]"
    if parts:
        return " or ".join(_say(part) for part in parts if part is not types.NoneType)
    names = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    return names.get(
        kind,
        "path" if getattr(kind, "__name__", "") == "Path" or is_file(kind) else str(getattr(kind, "__name__", kind)),
    )
