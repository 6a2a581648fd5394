"""Command lines run in this process, with no environment or config file of whoever runs the tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.running import SAMPLE, Ran, Run
from servers.fixtures import ministack_server

from teravox.cli.main import main

__all__ = ["ministack_server"]


@pytest.fixture(autouse=True)
def _no_settings_of_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("TERAVOX_") and name != "TERAVOX_TEST_PROCESS":
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("paint", None)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line: its exit code, what it printed, what it complained of."""

    def run(*words: str) -> Ran:
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def paint(run: Run, tmp_path: Path) -> Run:
    """Runs the command of a plugin's kind that has options of every sort."""
    plugin = tmp_path / "paint.py"
    plugin.write_text(SAMPLE)

    def paint(*words: str) -> Ran:
        return run("--plugin", str(plugin), "paint", *words)

    return paint
