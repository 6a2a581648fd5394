"""Commands that are killed again and again and resumed, and the layers that they leave."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from faults.workers import HANGS, until
from layers.make import files_of

from teravox.pipeline.storage.atomic_write import is_temporary

Tree = dict[str, bytes]
Options = dict[str, Any]  # what the kinds' fields are


def tree_of(layer: str) -> Tree:
    """What readers see; the ledger and the provenance say when it was made."""
    return {key: data for key, data in files_of(path_of(layer)).items() if is_result(Path(key))}


def path_of(layer: str) -> str:
    return layer.removeprefix("file://")


def is_result(key: Path) -> bool:
    return str(key) != "provenance" and "ledger" not in key.parts and not is_temporary(key.name)


def differing(found: Tree, wanted: Tree) -> list[str]:
    """The keys of what only one of both has, or has otherwise."""
    return sorted(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))


def count_new(layer: str, before: Tree) -> int:
    """How many results there are that were not there before."""
    folder = Path(path_of(layer))
    files = (file.relative_to(folder) for file in folder.rglob("*") if file.suffix or file.is_file())
    return sum(is_result(key) and str(key) not in before for key in files)


def words_of(kind: str, layer: str, options: Options) -> list[str]:
    """A command line with these options."""
    words = [*kind.split(), layer]
    for name, value in options.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        words += [f"--{name.replace('_', '-')}", text]
    return words


def kill_and_resume(kind: str, layer: str, options: Options, kills: int, expected: int) -> int:
    """Kill a command when it has made a bit more than the last time; the last one may end. How often it was killed."""
    command = [sys.executable, "-m", "teravox", *words_of(kind, layer, options), "--resume", "--quiet"]
    before = tree_of(layer)
    killed = 0
    for kill in range(1, kills + 1):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        assert process.stdout is not None
        some = expected * kill // (kills + 1)
        with process.stdout:
            until(
                lambda: count_new(layer, before) >= some or process.poll() is not None,  # noqa: B023 - called within this turn
                "something is made",
                look_every=0.001,
            )
            process.kill()  # nothing, where it has ended
            killed += process.wait(HANGS) == -signal.SIGKILL
            process.stdout.read()  # until its children, which hold the other end, have ended too
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANGS)
    assert done.returncode == 0, done.stderr
    return killed
