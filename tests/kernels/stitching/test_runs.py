"""Runs hold what the voxels hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.stitching.exchange import exchange
from teravox.kernels.stitching.runs import Runs, cut_runs, find_runs, make_runs, without


@st.composite
def volumes(draw: st.DrawFn) -> NDArray[np.uint32]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.tuples(*[st.integers(1, 6)] * 3))
    return np.asfortranarray(rng.integers(0, draw(st.integers(1, 4)), shape), np.uint32)


def filled(runs: Runs, shape: tuple[int, ...]) -> NDArray[np.uint32]:
    voxels = np.zeros(shape, np.uint32)
    for row in range(len(runs.rows) - 1):
        for run in range(runs.rows[row], runs.rows[row + 1]):
            voxels[runs.starts[run] : runs.ends[run], row % shape[1], row // shape[1]] = runs.labels[run]
    return voxels


@settings(max_examples=40, deadline=None)
@given(volumes())
def test_runs_are_maximal_and_hold_all_that_is_not_0(voxels: NDArray[np.uint32]) -> None:
    runs = find_runs(voxels)
    np.testing.assert_array_equal(filled(runs, voxels.shape), voxels)
    labels, lengths = cut_runs(voxels)
    np.testing.assert_array_equal(np.repeat(labels, lengths), voxels.ravel(order="F"))
    rows = np.cumsum(lengths) % voxels.shape[0] == 0
    assert (np.diff(labels.astype(np.int64))[~rows[:-1]] != 0).all()
    np.testing.assert_array_equal(
        filled(without(runs, np.array([2], np.uint32)), voxels.shape), np.where(voxels == 2, 0, voxels)
    )


@pytest.mark.parametrize("lengths", [[4, 3], [4, 5], [3, 4, 1], [4, 0, 4], [4], [4, 4, 4]])
def test_runs_that_do_not_fill_the_rows_are_refused(lengths: list[int]) -> None:
    labels = np.arange(len(lengths), dtype=np.uint32)
    with pytest.raises(ValueError, match="its runs do not fill 2 rows of 4 voxels"):
        make_runs(labels, np.array(lengths, np.uint32), 4, 2)


@settings(max_examples=20, deadline=None)
@given(volumes())
def test_each_voxel_gets_the_id_of_its_label(voxels: NDArray[np.uint32]) -> None:
    ids = np.array([0, 9, 7, 2**40], np.uint64)
    np.testing.assert_array_equal(exchange(voxels, ids), ids[voxels])
    small = exchange(voxels, ids[:3].astype(np.uint32)[[0, 1, 2, 1]])
    assert small.dtype == np.uint32
    np.testing.assert_array_equal(small, ids[[0, 1, 2, 1]][voxels])
