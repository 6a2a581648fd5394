"""The reference of all commands, written out of their declarations: `python -m teravox.cli.manual`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence

from teravox.cli import general
from teravox.cli.catalog import Catalog, Declared
from teravox.cli.fields import Field, fields_of
from teravox.cli.help import ENVIRONMENT, said, spelled, usage
from teravox.cli.run_kind import HowItIsRun
from teravox.cli.stages import StagedCommand
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.registry import Registry


def render_manual(catalog: Catalog) -> str:
    """Every command of the catalog, as Markdown."""
    return "\n".join(_lines(catalog)).rstrip() + "\n"


def _lines(catalog: Catalog) -> Iterator[str]:
    yield from (
        "# Commands",
        "",
        "Written by `make docs` out of the declarations; `teravox COMMAND --help` says the same.",
        "",
    )
    declared = [catalog.open(name) for name in catalog]
    yield from (f"- [teravox {one.name}](#{_anchor(one)}): {catalog.summary(one.name)}" for one in declared)
    yield ""
    for one in declared:
        yield from _command(one)
    kinds = [section for one in declared if one.is_kind for section in one.sections[1:]][:1]
    for section in kinds:
        yield from ("## How a kind is run", "", (HowItIsRun.__doc__ or "").strip(), "", *_table(section.fields))
    yield from ("## How several stages are run", "", inspect.cleandoc(StagedCommand.__doc__ or ""), "")
    yield from _table(fields_of(StagedCommand))
    yield from ("## Every command", "", *_table(general.FIELDS))
    yield from ("## Environment and config file", "", ENVIRONMENT, "")
    yield from ("## Exit codes", "", "| code | meaning |", "| --- | --- |")
    yield from (f"| {int(code)} | {_cell(code.meaning)} |" for code in ExitCode)


def _command(declared: Declared) -> Iterator[str]:
    yield from (f"## teravox {declared.name}", "", "```", usage(declared), "```", "")
    for paragraph in declared.text.split("\n\n"):
        yield from (*paragraph.splitlines(), "")
    yield from _table(sorted(declared.sections[0].fields, key=lambda field: not field.positional))
    for section in declared.sections[2:]:
        yield from _table(section.fields)
    if declared.is_kind:
        yield from ("And the options of [how a kind is run](#how-a-kind-is-run).", "")
    if declared.has_stages:
        yield from ("And the options of [how several stages are run](#how-several-stages-are-run).", "")


def _table(fields: Sequence[Field]) -> Iterator[str]:
    if not fields:
        return
    yield from ("| option | what it says |", "| --- | --- |")
    yield from (f"| `{_cell(spelled(field))}` | {_cell(said(field))} |" for field in fields)
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(declared: Declared) -> str:
    return f"teravox-{declared.name.replace(' ', '-')}"


if __name__ == "__main__":
    sys.stdout.write(render_manual(Catalog(Registry())))
