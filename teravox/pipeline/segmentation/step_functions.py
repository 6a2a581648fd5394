"""The functions behind the names of steps: where they come from, what parameters they take, and what they say of themselves."""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
import typing
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec

from teravox.pipeline.allowed import is_allowed, say_allowed
from teravox.pipeline.box import Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.operator_modules import is_named
from teravox.pipeline.segmentation.carried import is_file, open_file
from teravox.pipeline.segmentation.steps import Json, Step, What, require_names

Function = Callable[..., Any]  # of whoever wrote the step
Span = tuple[int, int]  # from, and up to but without
BUILT_IN = "teravox.kernels.segmentation"
GIVEN = ("resolution", "corner", "kept")  # parameters that are filled in where a function has them
ARRAYS = 2  # that every step is given first
UNKNOWN = 64.0  # bytes for each voxel of a step that does not say what it takes


class Parameter(NamedTuple):
    """One parameter of a step; `kind` and `default` are inspect.Parameter.empty where there is none."""

    name: str
    kind: Any  # a type, as annotations hold them
    text: str
    default: Any  # of that type

    @property
    def is_required(self) -> bool:
        return self.default is inspect.Parameter.empty


class Declared(NamedTuple):
    """What a function takes."""

    function: Function
    parameters: dict[str, Parameter]
    given: frozenset[str]  # of GIVEN, those that it has
    takes_any: bool  # it ends with **parameters


class Place(NamedTuple):
    """Where the arrays that a step is given lie; all in z, y, x."""

    resolution: tuple[float, float, float]  # nanometres
    corner: Vec  # the place of the first voxel in the volume
    kept: tuple[Span, Span, Span]  # the part of the arrays whose result is used; the rest is there to be looked at


class BoundStep(NamedTuple):
    """A function with its parameters, all of them."""

    what: What
    name: str
    declared: Declared
    parameters: dict[str, Any]  # as the function wants them

    def __str__(self) -> str:
        return f"the step {self.name} ({self.what})"

    @property
    def said(self) -> Json:
        """All that changes its results, as JSON."""
        return {"name": self.name, "parameters": msgspec.to_builtins(self.parameters, enc_hook=str)}

    def call(self, first: Any, second: Any, place: Place) -> Any:
        """What the function makes of two arrays."""
        given = {name: getattr(place, name) for name in self.declared.given}
        return self.declared.function(first, second, **self.parameters, **given)

    def fact(self, name: str, resolution: tuple[float, float, float], usual: Any) -> Any:
        """What the function says of itself: a value, or a function of the same parameters."""
        said = getattr(self.declared.function, name, None)
        if said is None:
            return usual
        if not callable(said):
            return said
        given = {"resolution": resolution} if "resolution" in self.declared.given else {}
        try:
            return said(**self.parameters, **given)
        except (ValueError, OverflowError) as error:
            raise self.refused(error) from None

    def refused(self, error: Exception) -> BadUsage:
        """What the function said of its parameters, as a sentence about an option."""
        return BadUsage(f"--{self.what}: the step {self.name} refuses this: {error}")

    def margin(self, resolution: tuple[float, float, float]) -> Vec:
        """The voxels that it looks around, in x, y, z."""
        z, y, x = self.fact("margin", resolution, (0, 0, 0))
        return (int(x), int(y), int(z))

    @property
    def says_margin(self) -> bool:
        return hasattr(self.declared.function, "margin")

    def memory(self, resolution: tuple[float, float, float]) -> float:
        """The bytes that it takes for each voxel, besides the arrays that it is given."""
        return float(self.fact("memory", resolution, UNKNOWN))

    def fixed(self, resolution: tuple[float, float, float]) -> int:
        """The bytes that it takes however large the box is."""
        return int(self.fact("fixed", resolution, 0))

    def channels(self, resolution: tuple[float, float, float]) -> int:
        """How many channels a prediction has."""
        return int(self.fact("channels", resolution, 1))


def bind(what: What, step: Step, option: str, dest: str | None = None) -> BoundStep:
    """The function of a step with its parameters; BadUsage says which name or value cannot be meant.

    The files that it goes by are looked for in DEST.
    """
    declared = find(what, step, option)
    return BoundStep(what, step.name, declared, _fill_in(declared, step, option, dest))


def built_in(what: What) -> list[str]:
    """The names of the built-in steps."""
    package = importlib.import_module(f"{BUILT_IN}.{what}")
    return sorted(one.name.replace("_", "-") for one in pkgutil.iter_modules(package.__path__))


def find(what: What, step: Step, option: str) -> Declared:
    """The function of a name."""
    require_names(step, option)
    return _declared_own(step.name, option) if ":" in step.name else _declared_built_in(what, step.name, option)


def summary(declared: Declared) -> str:
    """The first line of what a function says of itself."""
    return (inspect.getdoc(declared.function) or "").strip().split("\n")[0]


@cache
def _declared_built_in(what: What, name: str, option: str) -> Declared:
    import difflib

    known = built_in(what)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        guess = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
        raise BadUsage(f"{option}: there is no step {name!r}{guess} (see: teravox segment plugins)")
    module = importlib.import_module(f"{BUILT_IN}.{what}.{name.replace('-', '_')}")
    return declare(getattr(module, what))


def _declared_own(name: str, option: str) -> Declared:
    """A function of a module that the operator named; nothing else is ever imported or called for a message."""
    place, _, word = name.partition(":")
    if not is_named(place):
        raise BadUsage(
            f"{option}: {name} is a step of your own, and runs only where its module is named: teravox --plugin {place} …, "
            "the same for `teravox execute`"
        )
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        raise BadUsage(f"{option}: no module named {error.name!r} can be imported here") from None
    function = getattr(module, word, None)
    if not callable(function) or getattr(function, "__module__", None) != module.__name__:
        raise BadUsage(f"{option}: {place} defines no function {word!r}")
    return declare(function)


def declare(function: Function) -> Declared:
    """What a function takes beside its two arrays."""
    annotations = typing.get_type_hints(function, include_extras=True)
    parameters: dict[str, Parameter] = {}
    given, takes_any = set(), False
    for at, one in enumerate(inspect.signature(function).parameters.values()):
        if one.kind is one.VAR_KEYWORD:
            takes_any = True
        elif one.name in GIVEN and at >= ARRAYS:
            given.add(one.name)
        elif at >= ARRAYS and one.kind is not one.VAR_POSITIONAL:
            kind = annotations.get(one.name, inspect.Parameter.empty)
            parameters[one.name] = Parameter(one.name, *_take_apart(kind), one.default)
    return Declared(function, parameters, frozenset(given), takes_any)


def _take_apart(kind: Any) -> tuple[Any, str]:
    """The type that an annotation means, and the sentence that it says."""
    if get_origin(kind) is not Annotated:
        return kind, ""
    inner, *said = get_args(kind)
    text = next((word for word in said if isinstance(word, str)), "")
    metas = [one for one in said if isinstance(one, msgspec.Meta)]
    for meta in metas:
        inner = Annotated[inner, meta]
    return inner, text or next((meta.description for meta in metas if meta.description), "")


def _fill_in(declared: Declared, step: Step, option: str, dest: str | None) -> dict[str, Any]:
    import difflib

    known = declared.parameters
    values: dict[str, Any] = {}
    for name, value in step.parameters.items():
        if name not in known:
            if declared.takes_any and name not in GIVEN:
                values[name] = value
                continue
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            has = ", ".join(known) or "none"
            guess = f"; did you mean {near[0]}?" if near else f"; it has {has}"
            raise BadUsage(f"{option}: the step {step.name} has no parameter {name!r}{guess}")
        values[name] = _convert(known[name], value, step, option, dest)
    for name, parameter in known.items():
        if name not in values:
            if parameter.is_required:
                raise BadUsage(f"{option}: the step {step.name} needs {name}: {parameter.text or 'it has no default'}")
            values[name] = parameter.default
    return values


def _convert(parameter: Parameter, value: Json, step: Step, option: str, dest: str | None) -> Any:
    if parameter.kind is inspect.Parameter.empty:
        return value
    if is_file(parameter.kind):
        try:
            return open_file(value, dest, step, parameter.name)
        except (BadUsage, msgspec.ValidationError) as error:
            raise BadUsage(f"{option}: {_plain(error)}") from None
    try:
        converted = msgspec.convert(value, parameter.kind, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise BadUsage(
            f"{option}: {parameter.name} of the step {step.name}: {_plain(error)}, got {str(value)[:80]!r}"
        ) from None
    if isinstance(converted, float) and not math.isfinite(converted):
        raise BadUsage(
            f"{option}: {parameter.name} of the step {step.name} is {converted}, and numbers must have an end"
        )
    if isinstance(converted, Path):
        where = f"{option}: {parameter.name} of the step {step.name} is {converted}"
        if not converted.is_absolute():
            raise BadUsage(f"{where}, which begins nowhere: write ./{converted} for a file of this folder")
        if not is_allowed(str(converted)):
            raise BadUsage(f"{where}, {say_allowed()}")
    return converted


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"a parameter of type {kind} cannot be given")


def _plain(error: Exception) -> str:
    text = str(error).partition(" - at `")[0].replace("`", "")
    return text[:1].lower() + text[1:]
