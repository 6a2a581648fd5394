from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from ledger.memory_store import MemoryStore
from ledger.some_records import make_record

from teravox.pipeline.box import Box
from teravox.pipeline.job import Job
from teravox.pipeline.ledger import Ledger, finish_if_complete

ended: list[str] = []


class Blur(Job[Box], frozen=True):
    """Blur a layer."""

    layer: str = "./em"
    fails: bool = False

    def pieces(self) -> Sequence[Box]:
        return []

    def finish(self) -> None:
        if self.fails:
            raise ValueError("not yet")
        ended.append(self.layer)


@pytest.fixture(autouse=True)
def forget_ends() -> None:
    ended.clear()


def half_done(store: MemoryStore, job: Blur) -> Ledger:
    ledger = Ledger(store, "0" * 32)
    ledger.open("blur", job, 2, "teravox blur ./em")
    do(ledger, 1)
    return ledger


def do(ledger: Ledger, *numbers: int) -> None:
    writer = ledger.writer("w")
    for number in numbers:
        writer.add(make_record(number))
    writer.flush()


def test_a_job_is_finished_once_its_last_piece_is_done(store: MemoryStore) -> None:
    ledger = half_done(store, Blur())
    assert not finish_if_complete(ledger, Blur())
    assert ended == [] and not ledger.finished()
    do(ledger, 2)
    assert finish_if_complete(ledger, Blur())
    assert ended == ["./em"] and ledger.finished()
    assert finish_if_complete(ledger, Blur())
    assert ended == ["./em"]


def test_a_finish_that_fails_is_not_marked(store: MemoryStore) -> None:
    ledger = half_done(store, Blur(fails=True))
    do(ledger, 2)
    with pytest.raises(ValueError, match="not yet"):
        finish_if_complete(ledger, Blur(fails=True))
    assert not ledger.finished()
    assert finish_if_complete(ledger, Blur())


def test_a_job_that_is_asked_for_again_is_finished_again(store: MemoryStore) -> None:
    ledger = half_done(store, Blur())
    do(ledger, 2)
    finish_if_complete(ledger, Blur())
    ledger.open("blur", Blur(), 2, "teravox blur ./em --resume")
    assert finish_if_complete(ledger, Blur())
    assert ended == ["./em", "./em"]


def test_the_mark_of_the_end_says_when_and_by_what(store: MemoryStore) -> None:
    ledger = half_done(store, Blur())
    ledger.mark_finished()
    mark = msgspec.json.decode(store.objects[f"ledger/{'0' * 32}/finished.json"])
    assert sorted(mark) == ["time", "version"]
