"""What is done with a block: steps, each named with its parameters, as they stand in a message, a file or on the command line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from teravox.pipeline.errors import BadUsage

Json = Any  # a number, a text, true, false, null, or a list of these
What = Literal["predict", "supervoxels", "agglomerate"]

_PARAMETER = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_-]*)\s*=(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PATHS = ("./", "../", "~/")
CLASSIFIER = "classifier"  # the step that the file of a model stands for
MODEL_ENDINGS = (".model", ".ilp")
FORM = "NAME:KEY=VALUE,…"


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step by its name, a built-in one's or `module:function`, and what differs from its defaults."""

    name: str
    parameters: dict[str, Json] = {}


class Steps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The steps that a file names; None leaves one to the options."""

    predict: Step | None = None
    supervoxels: Step | None = None
    agglomerate: tuple[Step, ...] | None = None


def parse_steps(text: str) -> tuple[Step, ...]:
    """Steps as they are typed: `mean-boundary:threshold=0.3,weight=2,size-filter:min_size=100`.

    ValueError with a sentence says what is wrong.
    """
    steps: list[tuple[str, dict[str, Json]]] = []
    for part in _split(text):
        found = _PARAMETER.fullmatch(part)
        if found is None:
            name, first = _split_name(part)
            steps.append((CLASSIFIER, {"model": _whole(name, Path(), always=True)}) if is_model(name) else (name, {}))
            if first is None:
                continue
            found = _PARAMETER.fullmatch(first)
            if found is None:
                raise ValueError(f"expected KEY=VALUE after the name of a step, got {first[:80]!r}")
        elif not steps:
            raise ValueError(f"expected the name of a step before its parameters, got {part[:80]!r}")
        key = found[1].replace("-", "_")
        if key in steps[-1][1]:
            raise ValueError(f"{key} is given twice to {steps[-1][0]}")
        steps[-1][1][key] = _parse_value(found[2].strip())
    return tuple(Step(name, parameters) for name, parameters in steps)


def is_model(name: str) -> bool:
    """Whether the file of a classifier stands where the name of a step does."""
    return name.endswith(MODEL_ENDINGS)


def parse_step(text: str) -> Step:
    """One step as it is typed: `membrane:sigma=2`."""
    steps = parse_steps(text)
    if len(steps) != 1:
        raise ValueError(f"expected one step like {FORM}, got {len(steps)}")
    return steps[0]


def say_step(step: Step) -> str:
    """A step as it is typed."""
    parameters = ",".join(f"{key}={_say_value(value)}" for key, value in step.parameters.items())
    return f"{step.name}:{parameters}" if parameters else step.name


def say_steps(steps: tuple[Step, ...]) -> str:
    return ",".join(map(say_step, steps))


def parse_steps_file(text: str, path: str) -> Steps:
    """The steps that a TOML or JSON file names; ValueError with a sentence says what is wrong."""
    import tomllib

    if text.lstrip().startswith("{"):
        try:
            said = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise ValueError(f"{path} is no JSON file: {error}") from None
    else:
        try:
            said = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path} is no TOML file: {error}") from None
    unknown = sorted(set(said) - {"predict", "supervoxels", "agglomerate"})
    if unknown:
        raise ValueError(f"{path}: unknown table [{unknown[0]}]; it knows [predict], [supervoxels] and [[agglomerate]]")
    beside = Path(path).parent
    chain = said.get("agglomerate")
    chain = [chain] if isinstance(chain, dict) else chain
    if chain is not None and not isinstance(chain, list):
        raise ValueError(f"{path}: agglomerate must be tables: [[agglomerate]]")
    return Steps(
        predict=_table(said["predict"], "predict", path, beside) if "predict" in said else None,
        supervoxels=_table(said["supervoxels"], "supervoxels", path, beside) if "supervoxels" in said else None,
        agglomerate=None if chain is None else tuple(_table(one, "agglomerate", path, beside) for one in chain),
    )


def read_steps_file(path: str) -> Steps:
    """The steps of a file of this machine."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text") from None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    return parse_steps_file(text, path)


def say_steps_of(steps: Steps) -> str:
    """Steps of a file as people read them."""
    named = [steps.predict, steps.supervoxels, *(steps.agglomerate or ())]
    return ", ".join(say_step(step) for step in named if step is not None) or "no steps"


def require_names(step: Step, option: str) -> None:
    """Raise BadUsage of a name that cannot be one."""
    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z]\w*|[a-z][a-z0-9-]*", step.name, re.ASCII):
        raise BadUsage(f"{option}: {step.name[:80]!r} is neither the name of a built-in step nor module:function")


def _table(said: Json, what: str, path: str, beside: Path) -> Step:
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        raise ValueError(f'{path}: [{what}] must be a table with name = "…"')  # noqa: TRY004 - it is about a file
    parameters = {key.replace("-", "_"): value for key, value in said.items() if key != "name"}
    for key, value in parameters.items():
        if not _is_plain(value):
            raise ValueError(f"{path}: [{what}] {key} must be a number, a text, true, false, or a list of these")
        if isinstance(value, str):
            parameters[key] = _whole(value, beside)
    return Step(said["name"], parameters)


def _whole(text: str, folder: Path, *, always: bool = False) -> str:
    """A text that is plainly a path, or is one, made absolute: workers stand elsewhere."""
    is_path = always or text.startswith(_PATHS)
    return os.path.normpath(folder.absolute() / Path(text).expanduser()) if is_path else text


def _is_plain(value: Json) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _split(text: str) -> list[str]:
    """The parts between commas that are not within brackets or quotes."""
    parts, depth, quoted, escaped, start = [], 0, False, False, 0
    for at, letter in enumerate(text):
        if quoted and (escaped or letter == "\\"):
            escaped = not escaped
        elif letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += {"[": 1, "]": -1}.get(letter, 0)
            if letter == "," and depth == 0:
                parts.append(text[start:at])
                start = at + 1
    if depth or quoted:
        raise ValueError(f"expected as many closing brackets and quotes as opening ones in {text[:80]!r}")
    parts.append(text[start:])
    if not all(part.strip() for part in parts):
        raise ValueError(f"expected steps with commas between them, like {FORM}, got {text[:80]!r}")
    return parts


def _split_name(part: str) -> tuple[str, str | None]:
    """The name of a step, which may hold a colon itself, and its first parameter."""
    words = part.strip().split(":", 2)
    if len(words) == 1:
        return words[0], None
    if "=" in words[1]:
        return words[0], ":".join(words[1:])
    return f"{words[0]}:{words[1]}", words[2] if len(words) == 3 else None


def _parse_value(text: str) -> Json:
    if text in ("true", "false", "null") or text[:1] in ("[", '"'):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            raise ValueError(f'{text[:80]!r} is no list like [1,2.5] and no text like "a"') from None
    if _NUMBER.fullmatch(text):
        return float(text) if set(text) & set(".eE") else int(text)
    return _whole(text, Path())


def _say_value(value: Json) -> str:
    if isinstance(value, str) and _parse_or_none(value.strip()) == value and not set(value) & set(',="[]'):
        return value
    return msgspec.json.encode(value).decode()


def _parse_or_none(text: str) -> Json:
    try:
        return _parse_value(text)
    except ValueError:
        return None
