"""The queues that the contract suite holds to the contract."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from queues.subject import Subject
from servers.fixtures import fauxqs_server, ministack_server
from servers.sqs_server import SqsServer

from teravox.pipeline.queues import sqs, sqs_dead
from teravox.pipeline.queues.contract import Queue
from teravox.pipeline.queues.memory import MemoryQueue
from teravox.pipeline.queues.sqs import SqsQueue, create_sqs_queue

__all__ = ["fauxqs_server", "ministack_server"]

MOMENT = 0.05  # seconds between two looks at a queue whose time is real


@pytest.fixture(params=["memory", "folder", "ministack", "fauxqs"])
def subject(request: pytest.FixtureRequest) -> Subject:
    made: Subject = request.getfixturevalue(f"{request.param}_subject")
    return made


@pytest.fixture
def memory_subject() -> Subject:
    clock = {"now": 1_700_000_000.0}

    def tick() -> None:
        clock["now"] += 0.5

    queue = MemoryQueue(clock=lambda: clock["now"])
    return Subject(open=lambda: queue, tick=tick)


@pytest.fixture
def folder_subject(tmp_path: Path, closed_at_the_end: Callable[[Queue], Queue]) -> Subject:
    from teravox.pipeline.queues.folder import FolderQueue

    return Subject(
        open=lambda: closed_at_the_end(FolderQueue(str(tmp_path / "q"), create=True)),
        tick=lambda: time.sleep(MOMENT),
    )


@pytest.fixture
def ministack_subject(
    ministack_server: SqsServer, monkeypatch: pytest.MonkeyPatch, closed_at_the_end: Callable[[Queue], Queue]
) -> Subject:
    return _sqs_subject(ministack_server, monkeypatch, closed_at_the_end)


@pytest.fixture
def fauxqs_subject(
    fauxqs_server: SqsServer, monkeypatch: pytest.MonkeyPatch, closed_at_the_end: Callable[[Queue], Queue]
) -> Subject:
    subject = _sqs_subject(fauxqs_server, monkeypatch, closed_at_the_end)
    return replace(subject, counts_see_expiry=False)


def _sqs_subject(
    server: SqsServer, monkeypatch: pytest.MonkeyPatch, closed_at_the_end: Callable[[Queue], Queue]
) -> Subject:
    use_sqs(server, monkeypatch)
    monkeypatch.setattr(sqs_dead, "LAST_LOOK", 0)  # these servers are one machine each, and know all at once
    monkeypatch.setattr(sqs, "BETWEEN_LOOKS", 0.01)
    url = f"sqs://trial-{secrets.token_hex(6)}"
    create_sqs_queue(url)
    return Subject(
        open=lambda: closed_at_the_end(SqsQueue(url)),
        tick=lambda: time.sleep(MOMENT),
        knows_tasks_again=False,
        takes_attempts_back=False,
        keeps_failures=False,
        keeps_workers=False,
        counts_exactly=False,
        lists_tasks=False,
        purges_each_state=False,
    )


def use_sqs(server: SqsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on this process sees this server alone, and no keys of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def closed_at_the_end() -> Iterator[Callable[[Queue], Queue]]:
    with ExitStack() as stack:

        def close_later(queue: Queue) -> Queue:
            stack.callback(queue.close)
            return queue

        yield close_later
