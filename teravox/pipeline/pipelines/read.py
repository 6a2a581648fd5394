"""Reads a pipeline file: its keys, its variables and what waits for what; options are looked at by who knows the kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.pipelines.order import default_names, sort_steps
from teravox.pipeline.pipelines.pipeline import Pipeline, PipelineStep, Scene
from teravox.pipeline.pipelines.variables import did_you_mean, read_variables, replace_variables

_KEYS = ("vars", "step", "scene")
_MOST_BYTES = 1_000_000


def read_pipeline(path: str, settings: Mapping[str, str]) -> Pipeline:
    """The pipeline in a file, with these variables in the place of its own; BadUsage says what is wrong with it."""
    said = _load(path)
    for key in said:
        if key == "plugins":
            raise BadUsage(f"{path}: a file cannot name plugins; name them yourself: teravox --plugin NAME run {path}")
        if key not in _KEYS:
            raise BadUsage(f"{path}: unknown key {key!r}{did_you_mean(key, _KEYS)}")
    variables = read_variables(said.get("vars", {}), settings, path)
    tables = said.get("step", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadUsage(f"{path}: steps are written as tables in a list, each under [[step]]")
    if not tables:
        raise BadUsage(f"{path} has no step; write one under [[step]]")
    tables = [
        replace_variables(table, variables, f"{path}: {_whose(table, number)}")
        for number, table in enumerate(tables, start=1)
    ]
    return Pipeline(path=path, steps=_read_steps(tables, path), scene=_read_scene(said, variables, path))


def _load(path: str) -> dict[str, Any]:
    import tomllib

    try:
        with Path(path).open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise BadUsage(f"{path} is larger than any pipeline file: {_MOST_BYTES:,} bytes are read at most")
        return tomllib.loads(text.decode())
    except FileNotFoundError:
        raise BadUsage(f"there is no file {path}") from None
    except OSError as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadUsage(f"{path} is no TOML file: {error}") from None


def _read_steps(tables: Sequence[dict[str, Any]], path: str) -> tuple[PipelineStep, ...]:
    for number, table in enumerate(tables, start=1):
        where = f"{path}: {_whose(table, number)}"
        if not isinstance(table.get("do"), str) or not table["do"].split():
            raise BadUsage(f'{where}: do must say what is done, as in do = "image downsample"')
        if not isinstance(table.get("name", ""), str) or table.get("name") == "":
            raise BadUsage(f"{where}: name must be a text")
        if "," in table.get("name", ""):
            raise BadUsage(f"{where}: the name of a step must not hold a comma, which stands between names")
        after = table.get("after", [])
        if not isinstance(after, list) or not all(isinstance(name, str) for name in after):
            raise BadUsage(f'{where}: after must be a list of names of steps, as in after = ["pyramid"]')
    kinds = [" ".join(table["do"].split()) for table in tables]
    names = default_names([table.get("name") for table in tables], kinds)
    for number, name in enumerate(names, start=1):
        if name in names[: number - 1]:
            raise BadUsage(f"{path}: step {number}: there is another step named {name!r}; names must differ")
    steps = []
    for number, (table, name, kind) in enumerate(zip(tables, names, kinds, strict=True)):
        for other in table.get("after", []):
            if other not in names:
                raise BadUsage(f"{path}: step {name!r}: after: there is no step {other!r}{did_you_mean(other, names)}")
        before = names[number - 1 : number] if number else []
        steps.append(
            PipelineStep(
                name=name,
                do=kind,
                after=tuple(dict.fromkeys(table.get("after", before))),
                options={key: value for key, value in table.items() if key not in {"name", "do", "after"}},
            )
        )
    for number, step in enumerate(steps):
        for other in steps[:number]:
            if (step.do, step.options) == (other.do, other.options):
                raise BadUsage(f"{path}: steps {other.name!r} and {step.name!r} are the same job; take one of them out")
    return sort_steps(steps, path)


def _read_scene(said: Mapping[str, Any], variables: Mapping[str, str], path: str) -> Scene | None:
    if "scene" not in said:
        return None
    where = f"{path}: [scene]"
    scene = replace_variables(said["scene"], variables, where)
    if not isinstance(scene, dict):
        raise BadUsage(f"{path}: scene must be a table: [scene]")
    for key in scene:
        if key not in Scene.__struct_fields__:
            raise BadUsage(f"{where}: unknown key {key!r}{did_you_mean(key, Scene.__struct_fields__)}")
    layers = scene.get("layers")
    if not isinstance(layers, list) or not layers or not all(isinstance(layer, str) and layer for layer in layers):
        raise BadUsage(f'{where}: layers must be a list of layers, as in layers = ["./em", "./seg"]')
    output = scene.get("output")
    if output is not None and (not isinstance(output, str) or not output):
        raise BadUsage(f"{where}: output must be the path of a file")
    return Scene(layers=tuple(layers), output=output)


def _whose(table: Mapping[str, Any], number: int) -> str:
    name = table.get("name")
    return f"step {name!r}" if isinstance(name, str) and name else f"step {number}"
