"""Help, written out of the declarations."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator

from teravox import __doc__ as about
from teravox.cli import general
from teravox.cli.catalog import Catalog, Declared, Section
from teravox.cli.fields import Field, format_value
from teravox.pipeline.exit_codes import ExitCode

LONGEST = 60  # lines of the help of all commands
COLUMN = 26  # where the words about an option begin
ENVIRONMENT = (
    "Any option, LAYER and its like too, may also be set as TERAVOX_NAME in the environment (--num-mips is "
    "TERAVOX_NUM_MIPS, and yes or no sets a flag) or in the table [options] of ~/.config/teravox/config.toml. "
    "The command line wins over the environment, and that over the file."
)


def help_of_all(catalog: Catalog) -> str:
    """The help of `teravox`: every command in a line, or every group where there are too many."""
    full = _assemble_all(catalog, list(_every_command(catalog)))
    return full if full.count("\n") < LONGEST else _assemble_all(catalog, list(_every_group(catalog)))


def help_of_group(catalog: Catalog, group: str) -> str:
    """The help of the first words of some commands."""
    rows = [(f"teravox {name}", catalog.summary(name)) for name in catalog if name.startswith(f"{group} ")]
    return _join(
        [f"Usage: teravox {group} COMMAND …", "", *_wrap(catalog.groups[group]), "", *_table(rows), ""],
        _wrap(f"More about each: teravox {group} COMMAND --help"),
    )


def help_of(declared: Declared) -> str:
    """The help of one command."""
    lines = [f"Usage: {usage(declared)}", ""]
    for paragraph in declared.text.split("\n\n"):
        lines += [*(paragraph.splitlines() if paragraph.startswith(" ") else _wrap(paragraph)), ""]
    for section in (*declared.sections, Section("Every command", general.FIELDS)):
        if section.fields:
            fields = sorted(section.fields, key=lambda field: not field.positional)
            lines += [f"{section.title}:", *_table((spelled(field), said(field)) for field in fields), ""]
    return _join(lines, _wrap(ENVIRONMENT))


def usage(declared: Declared) -> str:
    """How a command is written."""
    words = [f"{field.word} …" if field.is_list else field.word for field in declared.positionals]
    words += [
        f"{field.option} {field.writing.shown}"
        for field in declared.fields
        if field.is_required and not field.positional
    ]
    return " ".join(["teravox", declared.name, *words, "[options]"])


def spelled(field: Field) -> str:
    """How an option is written."""
    if field.positional:
        return field.word
    words = [f"-{field.short}"] if field.short else []
    words.append(field.option)
    if field.is_flag and field not in general.FIELDS:
        words.append(f"--no-{field.option[2:]}")
    return f"{', '.join(words)} {field.writing.shown}".rstrip()


def said(field: Field) -> str:
    """What an option does, its limits and its default."""
    facts = [field.limits] if field.limits else []
    if field.is_required:
        if not field.positional:
            facts.append("must be given")
    elif field.default is not None and field.default != () and not (field.is_flag and not field.default):
        facts.append(f"default {format_value(field, field.default)}")
    return f"{field.description} ({'; '.join(facts)})" if facts else field.description


def _assemble_all(catalog: Catalog, commands: list[str]) -> str:
    codes = [(str(int(code)), code.meaning) for code in ExitCode]
    options = [(spelled(field), said(field)) for field in general.FIELDS]
    first = next((name for name in catalog if name in catalog.registry), "execute")
    return _join(
        ["Usage: teravox [--plugin MODULE] [--config FILE] COMMAND …", "", *_wrap(about or ""), ""],
        commands,
        [f"More about each: teravox {first} --help", "", "Every command:", *_table(options), ""],
        ["Exit codes:", *_table(codes, column=7), "", *_wrap(ENVIRONMENT)],
    )


def _every_command(catalog: Catalog) -> Iterator[str]:
    alone = [name for name in catalog if " " not in name]
    yield from _table((name, catalog.summary(name)) for name in alone)
    yield ""
    for group in _first_groups(catalog):
        yield from _wrap(f"{group}: {catalog.groups[group]}")
        yield from _table((name, catalog.summary(name)) for name in catalog if name.startswith(f"{group} "))
        yield ""


def _every_group(catalog: Catalog) -> Iterator[str]:
    rows = [(name, catalog.summary(name)) for name in catalog if " " not in name]
    for group in _first_groups(catalog):
        commands = [name.removeprefix(f"{group} ") for name in catalog if name.startswith(f"{group} ")]
        rows.append((f"{group} …", f"{catalog.groups[group]} ({', '.join(commands)})"))
    yield from _table(sorted(rows))
    yield ""


def _first_groups(catalog: Catalog) -> list[str]:
    return sorted(group for group in catalog.groups if " " not in group)


def _table(rows: Iterable[tuple[str, str]], column: int = COLUMN) -> Iterator[str]:
    for left, right in rows:
        lines = textwrap.wrap(right, width=max(20, _width() - column), break_on_hyphens=False) or [""]
        if len(left) + 4 > column:
            yield f"  {left}"
        else:
            yield f"  {left}".ljust(column) + lines.pop(0)
        yield from (" " * column + line for line in lines)


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, width=_width(), break_on_hyphens=False)


def _width() -> int:
    return min(120, max(40, shutil.get_terminal_size((100, 24)).columns))


def _join(*parts: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for part in parts for line in part).rstrip("\n")
