from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.pipeline.planning.earlier_runs import voxels_of
from teravox.pipeline.planning.sample import choose_places
from teravox.pipeline.planning.sampled import Fit, Run


@given(st.integers(0, 10**9), st.integers(1, 200))
@settings(max_examples=100)
def test_there_is_one_place_in_each_stretch(total: int, most: int) -> None:
    places = list(choose_places(total, most))

    assert len(places) == min(total, most)
    assert places == sorted(set(places))
    assert places == list(choose_places(total, most))
    for number, place in enumerate(places):
        assert number * total // max(1, len(places)) <= place < max(1, (number + 1) * total // max(1, len(places)))


def test_a_fit_adds_up_what_voxels_took_and_says_how_much_that_differs() -> None:
    def run(voxels: int, cpu: float) -> Run:
        return Run(
            voxels=voxels, seconds=2 * cpu, cpu_seconds=cpu, peak_bytes=10, promised=20, bytes_in=voxels, bytes_out=0
        )

    fit = Fit(runs=(run(1_000_000, 0.001), run(3_000_000, 0.005)), scratch="a folder")

    assert fit.rate is not None
    assert fit.rate.cpu_ns == pytest.approx(1.5)
    assert fit.rate.ns == pytest.approx(3.0)
    assert fit.say()["CPU"] == "1.5 ns a voxel, 1 to 1.67, spread 25%"


def test_pieces_that_are_no_boxes_have_no_rate() -> None:
    run = Run(voxels=None, seconds=1, cpu_seconds=1, peak_bytes=1, promised=1, bytes_in=1, bytes_out=1)

    assert Fit(runs=(run,), scratch="a folder").rate is None


@pytest.mark.parametrize(
    ("piece", "voxels"),
    [
        ({"min": [0, 0, 0], "max": [2, 3, 4]}, 24),
        ({"mip": 1, "box": {"min": [1, 1, 1], "max": [2, 2, 3]}}, 2),
        ({"number": 3, "parts": 8}, None),
    ],
)
def test_the_voxels_of_a_piece_are_those_of_its_box(piece: object, voxels: int | None) -> None:
    assert voxels_of(piece) == voxels
