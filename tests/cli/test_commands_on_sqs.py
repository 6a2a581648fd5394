"""The same words on SQS as on a folder."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.running import Run
from layers.make import make_layer, voxels
from servers.sqs_server import SqsServer
from tasks.image.ccl.components import assert_same_components, expected

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.queues import sqs, sqs_dead
from teravox.pipeline.queues.folder import FolderQueue

pytestmark = pytest.mark.server


@pytest.fixture
def url(ministack_server: SqsServer, monkeypatch: pytest.MonkeyPatch, run: Run) -> str:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in ministack_server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sqs_dead, "LAST_LOOK", 0)
    monkeypatch.setattr(sqs, "BETWEEN_LOOKS", 0.01)
    url = f"sqs://trial-{secrets.token_hex(6)}"
    assert run("queue", "create", url).out.endswith(" is ready.\n")
    return url


def status(run: Run, url: str) -> dict[str, object]:
    said: dict[str, object] = json.loads(run("queue", "status", url, "--json").out)
    return said


def test_tasks_go_through_sqs_from_the_command_to_the_dead_letters_and_back(
    paint: Run, run: Run, url: str, tmp_path: Path
) -> None:
    out = paint("./wall", "--coats", "2", "--queue", url).out
    assert out.startswith(f"2 tasks are in {url} (0 were there already). Work on them with: ")
    assert (status(run, url)["waiting"], status(run, url)["done"]) == (2, None)
    assert run("execute", url, "-xq", "--tries", "1", "--plugin", "./paint.py").code == 1
    assert (tmp_path / "wall/10,0,0:20,10,10").exists()
    code, out, _ = run("queue", "status", url)
    assert code == 1
    assert "failed        about 1" in out
    assert "the wall is wet" in run("queue", "failed", url).out
    assert run("queue", "retry", url, "--yes").out.endswith("1 task put back.\n")
    assert run("queue", "purge", url, "--yes").code == 0


def test_what_sqs_cannot_do_is_said_with_exit_code_2(paint: Run, run: Run, url: str) -> None:
    paint("./wall", "--queue", url, "-q")
    for words in (("ls", url), ("cp", url, "./copy")):
        code, _, err = run("queue", *words)
        assert code == 2
        assert err.startswith("teravox: ")
        assert "SQS" in err


def test_tasks_move_between_sqs_and_a_folder(paint: Run, run: Run, url: str, tmp_path: Path) -> None:
    paint("./wall", "--shape", "1,10,10", "--queue", "q", "-q")
    assert run("queue", "mv", "q", url).out.startswith(f"20 tasks moved to {url}; 0 stayed.")
    assert status(run, url)["waiting"] == 20
    assert run("queue", "mv", url, "back").out.startswith("20 tasks moved to ")
    assert FolderQueue(tmp_path / "back").counts().waiting == 20
    assert status(run, url)["waiting"] == 0
    assert run("queue", "wait", url).code == 0


@contextmanager
def worker(url: str) -> Iterator[None]:
    """A worker that stays while the queue is empty."""
    process = subprocess.Popen([sys.executable, "-m", "teravox", "execute", url, "--quiet"])
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


AUTO = ("--shape", "16,16,8", "--group", "2,2,2", "--interval", "0.1")


def test_workers_label_components_stage_by_stage(run: Run, url: str, tmp_path: Path) -> None:
    array = voxels((40, 30, 9), "uint16", labels=3)
    source, dest = make_layer(tmp_path / "source", array, offset=(3, -5, 1)), str(tmp_path / "dest")
    with worker(url):
        code, out, err = run("image", "ccl", "auto", source, dest, "--queue", url, *AUTO)
    assert (code, err) == (0, "")
    assert "6 of 6: image ccl relabel, 12 of 12 tasks to be done" in out
    layer = Layer.open(dest, fresh=True)
    assert_same_components(layer.read(layer.bounds(0), 0)[..., 0], expected(array[..., 0], 6))
    assert {entry.name for entry in Path(dest).iterdir()} == {"info", "provenance", "4_4_40", "ledger"}
    assert run("image", "ccl", "auto", source, dest, "--queue", url, *AUTO).out.endswith("holds the components.\n")
    assert status(run, url)["waiting"] == 0


def test_no_further_stage_begins_when_a_task_has_failed(run: Run, url: str, tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((40, 30, 9), "uint16", labels=3))
    chunk = next(Path(source, "4_4_40").iterdir())
    whole = chunk.read_bytes()
    chunk.unlink()
    words = ("image", "ccl", "auto", source, "./dest", "--queue", url, *AUTO)
    with worker(url):
        code, out, err = run(*words)
        assert code == 1
        assert "1 task of image ccl faces failed, so no further stage begins" in err
        assert "image ccl links" not in out
        chunk.write_bytes(whole)
        assert run("queue", "retry", url, "--yes").code == 0
        assert run(*words).code == 0
