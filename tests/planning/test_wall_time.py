from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.pipeline.planning.wall_time import MOST, wall_time


def test_tasks_are_handed_out_as_workers_become_free() -> None:
    assert wall_time([3.0, 1.0, 1.0, 1.0], 4, 2) == 3.0
    assert wall_time([1.0, 1.0, 1.0, 3.0], 4, 2) == 4.0  # the longest comes last


def test_a_long_task_is_not_shared() -> None:
    assert wall_time([10.0, 1.0, 1.0], 3, 100) == 10.0


def test_tasks_that_were_looked_at_stand_for_the_others() -> None:
    assert wall_time([2.0, 4.0], 6, 1) == 3 * 2.0 + 3 * 4.0


def test_nothing_takes_no_time() -> None:
    assert wall_time([], 0, 3) == 0.0


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=30), st.integers(1, 8))
@settings(max_examples=60)
def test_it_lies_between_what_must_be_and_what_may_be(seconds: list[float], workers: int) -> None:
    wall = wall_time(seconds, len(seconds), workers)

    least = max(sum(seconds) / workers, *seconds)
    assert least <= wall * (1 + 1e-9)
    assert wall <= (sum(seconds) / workers + max(seconds) * (1 - 1 / workers)) * (1 + 1e-9)


def test_of_very_many_tasks_the_worst_hand_out_is_reckoned_with() -> None:
    tasks = MOST + 1
    assert wall_time([1.0], tasks, 10) == pytest.approx(tasks / 10 + 0.9)
