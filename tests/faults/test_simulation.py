"""T10: ten thousand histories of the folder queue; see simulated_queue.py.

The rest of the ten thousand: python -m benchmarks.simulate_queue.
"""

from __future__ import annotations

import pytest
from faults.simulated_queue import DEFECTS, Violation, play

from teravox.pipeline.queues.folder_steps import FolderSteps

SEEDS = 1500
STEPS = 200


@pytest.mark.parametrize("start", range(0, SEEDS, 500))
def test_no_history_breaks_the_promise(start: int) -> None:
    taken = [play(seed, STEPS) for seed in range(start, start + 500)]
    assert min(taken) >= STEPS


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_every_known_defect_is_found_within_a_thousand_histories(defect: type[FolderSteps]) -> None:
    found = next((seed for seed in range(1000) if _violation(seed, defect)), None)
    assert found is not None
    assert _violation(found, defect) == _violation(found, defect)


def _violation(seed: int, protocol: type[FolderSteps]) -> str:
    """What went wrong in a history; the seed plays it again to the letter."""
    try:
        play(seed, STEPS, protocol)
    except Violation as violation:
        return str(violation)
    return ""
