"""Runs that are interrupted, killed, doubled and driven for workers elsewhere leave what an undisturbed one does."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pipelines.running import Pots, end, kill, until
from servers.sqs_server import SqsServer

from teravox.cli.main import main
from teravox.pipeline.queues import sqs, sqs_dead
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.sqs import create_sqs_queue

NUMBER = 4  # pieces of a step
STEPS: dict[str, dict[str, Any]] = {
    "a": {"value": 1, "number": NUMBER, "slow": 0.02, "waits": True},
    "b": {"value": 2, "number": NUMBER, "slow": 0.02, "waits": True, "after": ["a"]},
    "c": {"value": 3, "number": NUMBER, "slow": 0.02, "after": ["a"]},
    "d": {"value": 4, "number": NUMBER, "slow": 0.02, "waits": True, "after": ["b", "c"]},
}


def changed(**values: int) -> dict[str, dict[str, Any]]:
    return {name: {**step, "value": values.get(name, step["value"])} for name, step in STEPS.items()}


def test_a_run_that_is_stopped_and_one_that_is_killed_and_two_at_once_leave_what_one_does(pots: Pots) -> None:
    pots.set(STEPS)
    stopped = pots.start()
    until(lambda: pots.runs("a") == NUMBER - 1)
    stopped.send_signal(signal.SIGINT)
    assert end(stopped, 130).splitlines()[-1] == "Stopped. The same command again goes on where it was."
    assert not list(pots.folder.glob("*/ledger/*/claim.json"))
    pots.open("a")
    killed = pots.start()
    until(lambda: pots.runs("b") == NUMBER - 1)
    kill(killed)
    assert pots.runs("a") <= NUMBER + 1  # one may have been at its end
    pots.open("b")
    pots.open("d")
    said = [end(run, 0) for run in [pots.start(), pots.start()]]
    pots.check()
    assert all("a: done already" in text for text in said)
    assert sum(pots.runs(name) for name in STEPS) < 6 * NUMBER  # where both began at the same moment
    assert any("another run is at it: process " in text or "d: done already" in text for text in said)


@contextmanager
def workers(pots: Pots, queue: str, number: int) -> Iterator[None]:
    """Workers at a queue, until the end of the block."""
    started = [pots.spawn("--plugin", pots.plugin, "execute", queue, "-q") for _ in range(number)]
    try:
        yield
    finally:
        for worker in started:
            worker.send_signal(signal.SIGTERM)
        for worker in started:
            worker.communicate()


def test_workers_elsewhere_do_it_while_drivers_are_killed_and_an_input_changes(pots: Pots) -> None:
    queue = FolderQueue(pots.folder / "q", create=True)
    elsewhere = ("--queue", "./q", "--interval", "0.05")
    pots.set(STEPS)
    for name in ("a", "b", "d"):
        pots.open(name)
    with workers(pots, "./q", 2):
        end(pots.start(*elsewhere), 0)
        pots.check()
        assert [pots.runs(name) for name in STEPS] == [NUMBER] * 4
        pots.set(changed(b=9))  # c stays; the job of d is the same, and what it reads is not
        pots.close("d")
        killed = pots.start(*elsewhere)
        until(lambda: pots.runs("d") == 2 * NUMBER - 1)
        kill(killed)
        pots.open("d")
        two = [pots.start(*elsewhere), pots.start(*elsewhere)]
        for run in two:
            assert "c: done already" in end(run, 0)
        pots.check()
    assert [pots.runs(name) for name in ("a", "b", "c")] == [NUMBER, 2 * NUMBER, NUMBER]
    assert 2 * NUMBER <= pots.runs("d") <= 3 * NUMBER  # more where both began at the same moment
    assert queue.counts().failed == 0
    queue.close()


@pytest.mark.server
def test_workers_on_sqs_do_it_and_again_when_an_input_has_changed(
    pots: Pots,
    ministack_server: SqsServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in ministack_server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sqs_dead, "LAST_LOOK", 0)
    monkeypatch.setattr(sqs, "BETWEEN_LOOKS", 0.01)
    url = f"sqs://trial-{secrets.token_hex(6)}"
    create_sqs_queue(url)
    steps = {name: STEPS[name] for name in ("a", "b")}
    pots.open("a")
    pots.open("b")
    pots.set({**steps, "b": {**steps["b"], "breaks": 1}})
    with workers(pots, url, 1):
        words = pots.words("--queue", url, "--interval", "0.05")
        assert main(words) == 1
        assert f"see: teravox queue failed {url} --match 'brew'" in capsys.readouterr().err
        (pots.folder / "b" / "mended").write_text("")
        assert main(words) == 0
        pots.check()
        assert (pots.runs("a"), pots.runs("b")) == (NUMBER, NUMBER)
