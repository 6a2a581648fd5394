from __future__ import annotations

import re

import pytest
from cli.running import Run

from teravox.cli.catalog import Catalog
from teravox.cli.fields import format_value
from teravox.cli.manual import render_manual
from teravox.pipeline.registry import Registry

CATALOG = Catalog(Registry())


@pytest.mark.parametrize("name", list(CATALOG))
def test_every_option_of_every_command_has_help(run: Run, name: str) -> None:
    out = " ".join(run(*name.split(" "), "--help").out.split())
    for field in CATALOG.open(name).fields:
        assert field.label in out
        assert field.description in out
        assert field.description.endswith((".", "?")) or "Default: " in field.description
        if field.limits:
            assert field.limits in out


@pytest.mark.parametrize("name", list(CATALOG))
def test_a_default_can_be_typed(name: str) -> None:
    for field in CATALOG.open(name).fields:
        if not field.is_required:
            assert field.writing.parse(format_value(field, field.default)) == field.default


@pytest.mark.parametrize("name", list(CATALOG))
def test_a_command_is_said_in_one_line(name: str) -> None:
    summary = CATALOG.summary(name)
    assert 10 <= len(summary) <= 74
    assert summary.endswith(".")


def test_help_shows_defaults_limits_choices_and_the_example(paint: Run) -> None:
    out = paint("--help").out
    assert out.startswith("Usage: teravox paint LAYER [options]\n\nPaint a layer in one color.\n")
    assert "\n    teravox paint ./wall --color red\n" in out
    said = " ".join(out.split())
    for part in (
        "--memory SIZE Most memory that a task may need. (more than 0; default 3.5GB)",
        "--shape X,Y,Z Size of a piece. (default 10,10,10)",
        "--color red|green Which color. (one of red or green; default red)",
        "-c, --coats N How often. (1 to 3)",
        "--dry, --no-dry Whether it dries. (default yes)",
        "--every TIME How often. (default 90s)",
        "--labels N,… Labels to paint. (more than 0 each)",
        "--thickness X In meters. (0 or more and less than 1; default 0.5)",
        "How it is run:",
        "-p, --parallel N",
    ):
        assert part in said


@pytest.mark.parametrize("width", [60, 80, 100])
def test_help_fits_the_terminal(paint: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert max(map(len, paint("--help").out.splitlines())) <= width


def test_many_commands_are_listed_by_their_groups(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teravox.cli.help.LONGEST", 10)
    out = run("--help").out
    assert "queue …" in out
    assert "(cp, create, failed, ls, mv, purge, release, retry, status, wait)" in " ".join(out.split())


def test_the_manual_holds_every_command_and_option() -> None:
    manual = render_manual(CATALOG)
    for name in CATALOG:
        assert f"\n## teravox {name}\n" in manual
        section = manual.split(f"\n## teravox {name}\n")[1].split("\n## ")[0]
        for field in CATALOG.open(name).sections[0].fields:
            assert re.search(rf"^\| `[^`]*{re.escape(field.label)}", section, re.MULTILINE)
    for anchor in re.findall(r"\(#([a-z-]+)\)", manual):
        assert re.search(rf"^## {anchor.replace('-', '[ -]')}$", manual, re.MULTILINE | re.IGNORECASE)
