"""The queue of a run in this process: stages side by side, each over when none of its tasks is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from queues.subject import entry, failure

from teravox.pipeline.errors import BadInput
from teravox.pipeline.pipelines.here import Here
from teravox.pipeline.pipelines.place import Seen
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.stages import Stage


class Named:
    """As much of a stage as the queue looks at."""

    def __init__(self, id: str) -> None:
        self.id = id


ONE, OTHER = (cast("Stage", Named(id)) for id in ("one", "other"))


@pytest.fixture
def here() -> Here:
    return Here()


def entries(*numbers: int) -> Iterator[Entry]:
    return (entry(number) for number in numbers)


def test_stages_have_their_tasks_done_in_turn(here: Here) -> None:
    here.begin(ONE, entries(0, 1, 2))
    here.begin(OTHER, entries(10, 11, 12))
    ids = [here.lease(60)[0].id for _ in range(6)]
    assert [ids.index(entry(number).id) % 2 for number in (0, 1, 2)] == [0, 0, 0]
    assert [ids.index(entry(number).id) % 2 for number in (10, 11, 12)] == [1, 1, 1]
    assert here.lease(60) == []


def test_a_stage_is_over_when_the_last_of_its_tasks_is_done_or_dead(here: Here) -> None:
    here.begin(ONE, entries(0, 1))
    here.begin(OTHER, entries())
    assert here.look(OTHER, 0) == Seen(0, 0, is_over=True)
    first, second = here.lease(60, 2)
    assert here.done([first]) == [True]
    assert here.look(ONE, 2) == Seen(1, 0, is_over=False)
    assert here.fail(second, failure())
    assert here.lease(60) == []
    assert here.look(ONE, 2) == Seen(1, 1, is_over=True)
    assert [letter.id for letter in here.letters(ONE)] == [second.id]
    assert list(here.letters(OTHER)) == []


def test_tasks_that_cannot_be_made_end_their_stage_with_that_sentence(here: Here) -> None:
    def broken() -> Iterator[Entry]:
        yield entry(0)
        raise BadInput("the ledger is torn")

    here.begin(ONE, broken())
    here.begin(OTHER, entries(10))
    leases = here.lease(60, 5)
    assert {lease.id for lease in leases} == {entry(0).id, entry(10).id}
    here.done(leases)
    assert here.look(ONE, 2) == Seen(1, 0, is_over=True, trouble="the ledger is torn")
    assert here.look(OTHER, 1) == Seen(1, 0, is_over=True)


def test_workers_stay_until_nothing_more_can_come(here: Here) -> None:
    assert not here.is_empty()
    here.begin(ONE, entries(0))
    here.end()
    assert not here.is_empty()
    here.done(here.lease(60))
    assert here.is_empty()


def test_what_was_not_begun_can_be_dropped(here: Here) -> None:
    here.begin(ONE, entries(*range(9)))
    (lease,) = here.lease(60)
    here.drop()
    here.end()
    assert here.lease(60) == []
    assert not here.is_empty()
    here.done([lease])
    assert here.is_empty()


def test_a_driver_hears_at_once_of_a_stage_that_is_over(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(here._changed, "wait", waited.append)
    here.begin(ONE, entries(0))
    leases = here.lease(60, 2)
    here.done(leases)
    here.wait()
    assert waited == []
    here.wait()
    assert len(waited) == 1
