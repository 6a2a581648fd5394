"""What was given for each option: on the command line, else in the environment, else in the config file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from teravox.cli.errors import BadOption
from teravox.cli.fields import Field
from teravox.cli.parse import Words
from teravox.pipeline.errors import TeravoxError

S = TypeVar("S", bound=msgspec.Struct)


class Given(NamedTuple):
    """The text of an option, and what an error in it names."""

    text: str
    label: str
    by: Literal["command line", "environment", "config"]


def gather(
    fields: Sequence[Field],
    words: Sequence[str],
    environ: Mapping[str, str],
    config: Mapping[str, str],
    config_path: str,
) -> dict[str, Given]:
    """What was given, by option; an empty variable counts as none."""
    typed = Words(fields).read(words)
    given: dict[str, Given] = {}
    for field in fields:
        if field.name in typed:
            given[field.name] = Given(typed[field.name], field.label, "command line")
        elif environ.get(field.variable):
            given[field.name] = Given(environ[field.variable], field.variable, "environment")
        elif field.name in config:
            given[field.name] = Given(config[field.name], f"{field.name} in {config_path}", "config")
        elif field.is_required:
            raise BadOption(f"{field.label} is missing: {_uncapitalize(field.description)}")
    return given


def read_values(fields: Sequence[Field], given: Mapping[str, Given]) -> dict[str, Any]:  # Any: as many types as options
    """The values that the texts mean."""
    values = {}
    for field in fields:
        if field.name in given:
            text, label, _ = given[field.name]
            try:
                values[field.name] = field.writing.parse(text)
            except ValueError as error:
                raise BadOption(f"{label}: {error}") from None
    return values


def build(declaration: type[S], fields: Sequence[Field], values: Mapping[str, Any], given: Mapping[str, Given]) -> S:
    """The declaration with these values, held to its limits; what was not given is as the declaration says."""
    own = {field.name: field for field in fields}
    try:
        return msgspec.convert({name: value for name, value in values.items() if name in own}, declaration)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, TeravoxError):
            raise error.__cause__ from None
        text, _, path = str(error).partition(" - at `$.")
        field = own.get(path.rstrip("`").partition("[")[0].partition(".")[0])
        if field is None or field.name not in given:
            raise BadOption(str(error)) from None
        said = field.writing.format(values[field.name])
        limits = f"must be {field.limits}" if field.limits else _uncapitalize(text)
        raise BadOption(f"{given[field.name].label}: {limits}, got {said}") from None


def _uncapitalize(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence
