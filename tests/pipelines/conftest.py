"""Pipelines of brews, run by commands of their own or in this process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pipelines.running import Pots
from servers.fixtures import ministack_server

__all__ = ["ministack_server"]


@pytest.fixture(autouse=True)
def _no_settings_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TERAVOX_") and name != "TERAVOX_TEST_PROCESS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def pots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pots:
    """A folder with a pipeline file of brews."""
    monkeypatch.chdir(tmp_path)
    return Pots(tmp_path)
