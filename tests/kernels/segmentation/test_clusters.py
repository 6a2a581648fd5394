"""SLIC clusters, against scikit-image's and against what they must be by definition."""

from __future__ import annotations

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.segmentation import slic

from teravox.kernels.segmentation.clusters import find_clusters
from teravox.kernels.segmentation.connected_clusters import connect
from teravox.kernels.synthetic.neurites import draw_neurites

SIZE = (56, 48, 40)


@pytest.fixture(scope="module")
def tissue() -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    drawn = draw_neurites(SIZE, (0, 0, 0), SIZE, 3, noise=8.0)
    image = drawn.image.reshape(SIZE, order="F").T
    return np.asarray(image / 255, np.float32), drawn.truth.reshape(SIZE, order="F").T


def purity(clusters: NDArray[np.uint32], truth: NDArray[np.uint32]) -> float:
    """The share of the voxels that belong to the body which most of their cluster belongs to."""
    _, bodies = np.unique(truth, return_inverse=True)
    counts = np.zeros((clusters.max() + 1, bodies.max() + 1), np.int64)
    np.add.at(counts, (clusters.reshape(-1), bodies.reshape(-1)), 1)
    return float(counts.max(axis=1).sum() / clusters.size)


@pytest.mark.parametrize("compactness", [0.4, 0.1])
def test_clusters_are_as_pure_as_those_of_scikit_image(
    tissue: tuple[NDArray[np.float32], NDArray[np.uint32]], compactness: float
) -> None:
    image, truth = tissue
    stretch = float(np.ptp(image))
    theirs = slic(
        image,
        n_segments=image.size // 400,
        compactness=compactness / stretch,
        max_num_iter=10,
        start_label=1,
        channel_axis=None,
    )
    ours = find_clusters(image[np.newaxis], (1, 1, 1), size=400, compactness=compactness, iterations=10)
    assert 0.7 * theirs.max() < ours.max() < 1.5 * theirs.max()
    assert purity(ours, truth) > purity(theirs.astype(np.uint32), truth) - 0.01


def test_cells_of_a_plain_picture_are_found_exactly_by_both() -> None:
    cells = np.asarray(np.kron(np.arange(8).reshape(2, 2, 2), np.ones((8, 8, 8))) / 8, np.float32)
    ours = find_clusters(cells[np.newaxis], (1, 1, 1), size=512, compactness=0.1, iterations=5)
    theirs = slic(cells, n_segments=8, compactness=0.1, max_num_iter=5, start_label=1, channel_axis=None)
    assert len({*zip(ours.flat, cells.flat, strict=True)}) == 8 == ours.max()
    assert len({*zip(ours.flat, theirs.flat, strict=True)}) == 8


def test_without_differences_clusters_are_cells_of_about_the_size_in_nanometres() -> None:
    flat = np.zeros((1, 6, 60, 60), np.float32)
    found = find_clusters(flat, (10, 1, 1), size=400, compactness=0.2, iterations=3)
    sizes = np.bincount(found.reshape(-1))[1:]
    assert sizes.mean() == pytest.approx(400, rel=0.35)
    first = np.argwhere(found == found[3, 30, 30])
    assert first[:, 0].max() - first[:, 0].min() + 1 in (1, 2, 3)  # 16 of the finest voxels are less than 2 planes
    assert 10 <= np.ptp(first[:, 1]) + 1 <= 22


def test_all_channels_count() -> None:
    one = np.zeros((2, 8, 16, 16), np.float32)
    one[1, :, :, 8:] = 1
    found = find_clusters(one, (1, 1, 1), size=512, compactness=0.1, iterations=5)
    assert {*found[:, :, :8].flat}.isdisjoint({*found[:, :, 8:].flat})


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(1, 7), st.integers(1, 12), st.integers(1, 12)),
    st.integers(1, 300),
    st.sampled_from([0.01, 0.2, 5.0]),
    st.integers(0, 2**32 - 1),
)
def test_clusters_of_anything_are_numbered_without_gaps_and_connected(
    shape: tuple[int, int, int], size: int, compactness: float, seed: int
) -> None:
    values = np.random.default_rng(seed).random((1, *shape), np.float32)
    found = find_clusters(values, (2, 1, 1), size=size, compactness=compactness, iterations=3)
    assert set(found.flat) == set(range(1, int(found.max()) + 1))
    assert cc3d.connected_components(found, connectivity=6).max() == found.max()
    again = find_clusters(values, (2, 1, 1), size=size, compactness=compactness, iterations=3)
    assert (again == found).all()


def test_small_pieces_join_the_neighbour_that_is_most_alike() -> None:
    clusters = np.array([[[1, 1, 1, 2, 3, 3, 3, 1]]], np.uint32)
    values = np.array([[[[0, 0, 0, 7, 9, 9, 9, 0]]]], np.float32)
    assert connect(clusters, values, 2).tolist() == [[[1, 1, 1, 2, 2, 2, 2, 2]]]
    assert connect(clusters, values, 1).tolist() == [[[1, 1, 1, 2, 3, 3, 3, 4]]]


def test_where_all_pieces_are_small_they_stay() -> None:
    clusters = np.array([[[1, 2, 2, 1]]], np.uint32)
    assert connect(clusters, np.zeros((1, 1, 1, 4), np.float32), 9).tolist() == [[[1, 2, 2, 3]]]


def test_numbers_that_are_none_do_not_keep_small_pieces_apart() -> None:
    clusters = np.array([[[1, 1, 1, 2]]], np.uint32)
    values = np.array([[[[0, 0, 0, np.nan]]]], np.float32)
    assert connect(clusters, values, 2).tolist() == [[[1, 1, 1, 1]]]


def test_small_pieces_behind_small_pieces_follow_them() -> None:
    clusters = np.array([[[1, 1, 1, 2, 3, 4]]], np.uint32)
    assert connect(clusters, np.zeros((1, 1, 1, 6), np.float32), 3).tolist() == [[[1, 1, 1, 1, 1, 1]]]
