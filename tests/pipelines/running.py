"""Runs of `teravox run` as processes, over pipelines of brews."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipelines.trial_kind import brewed, held, runs, say_toml, write_plugin

PATIENCE = 60.0  # seconds after which what should have happened will not


class Pots:
    """A pipeline in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugin = write_plugin(folder)
        self.file = str(folder / "p.toml")
        self.steps: dict[str, dict[str, Any]] = {}

    def set(self, steps: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the pipeline file."""
        self.steps = {name: dict(step) for name, step in steps.items()}
        Path(self.file).write_text(say_toml(self.folder, steps))

    def words(self, *words: str) -> list[str]:
        return ["--plugin", self.plugin, "run", self.file, *words]

    def start(self, *words: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A run in a process of its own."""
        return self.spawn(*self.words(*words), environ=environ)

    def spawn(self, *words: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A command in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "teravox", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, **(environ or {})},
        )

    def open(self, name: str) -> None:
        """Let the last piece of a step be done."""
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "open").touch()

    def close(self, name: str) -> None:
        """Let the last piece of a step wait."""
        (self.folder / name / "open").unlink()

    def runs(self, name: str) -> int:
        """How many pieces of a step were done, repeats among them."""
        return runs(self.folder, name)

    def check(self) -> None:
        """All layers hold what they must."""
        wanted = brewed(
            {name: step["value"] for name, step in self.steps.items()},
            {name: step.get("after", []) for name, step in self.steps.items()},
            next(iter(self.steps.values()))["number"],
        )
        assert held(self.folder, list(self.steps)) == wanted


def end(process: subprocess.Popen[str], code: int) -> str:
    """Wait for a process: what it said."""
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, out
    return out


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process with all its children, and take it down."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.01)
