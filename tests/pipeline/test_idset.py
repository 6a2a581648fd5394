from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from teravox.pipeline.idset import IdSet

FEW = some.integers(0, 40).map("{:032x}".format)  # so few that they repeat and that others are often among them
MANY = some.integers(0, 2**128 - 1).map("{:032x}".format)
IDS = FEW | MANY


@given(some.lists(IDS), some.lists(IDS))
def test_it_holds_the_ids_it_was_made_of_and_no_others(ids: list[str], others: list[str]) -> None:
    packed = IdSet(ids)
    assert [id in packed for id in [*ids, *others]] == [id in set(ids) for id in [*ids, *others]]


@given(some.lists(IDS))
def test_it_gives_each_id_back_once_and_in_order(ids: list[str]) -> None:
    packed = IdSet(ids)
    assert list(packed) == sorted(set(ids))
    assert len(packed) == len(set(ids))


def test_the_first_and_the_last_possible_id_are_found() -> None:
    packed = IdSet(["f" * 32, "0" * 32])
    assert "0" * 32 in packed
    assert "f" * 32 in packed
    assert "7" * 32 not in packed


@pytest.mark.parametrize("ids", [[], ["a" * 32]])
def test_what_is_no_text_is_not_in_it(ids: list[str]) -> None:
    assert 7 not in IdSet(ids)
    assert b"a" * 32 not in IdSet(ids)
