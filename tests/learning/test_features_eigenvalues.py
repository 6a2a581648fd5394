"""Eigenvalues of symmetric matrices against NumPy, also where they are nearly equal."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from teravox.kernels.learning.eigenvalues import STRIPS, write_eigenvalues
from teravox.kernels.learning.rows import STRIP

ELEMENTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


def eigenvalues(matrices: NDArray[np.float32], *, flat: bool = False) -> NDArray[np.float32]:
    number = len(matrices)
    strips = np.zeros((STRIPS, STRIP), np.float32)
    for strip, (row, column) in enumerate(ELEMENTS):
        strips[strip, :number] = matrices[:, row, column]
    result = np.zeros((3, 1, 1, number), np.float32)
    write_eigenvalues(strips, result, 0, 0, 0, 0, number, flat)
    return result[: 2 if flat else 3, 0, 0].T


def symmetric(values: tuple[float, float, float], number: int, seed: int = 0) -> NDArray[np.float32]:
    """Matrices that have these eigenvalues, up to rounding, turned every way."""
    turns, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(number, 3, 3)))
    turned = (turns * np.array(values)) @ turns.transpose(0, 2, 1)
    found: NDArray[np.float32] = ((turned + turned.transpose(0, 2, 1)) / 2).astype(np.float32)
    return found


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize(
    "values",
    [(3, 2, 1), (1, 1, 1), (1, 1, -2), (2, -1, -1), (1, 1 - 1e-4, -2), (5, 5 - 1e-3, 5 - 2e-3), (1, 0, 0), (1, 0, -1)],
)
def test_three_are_numpy_s_to_the_digits_of_float32(values: tuple[float, float, float], scale: float) -> None:
    matrices = symmetric((values[0] * scale, values[1] * scale, values[2] * scale), STRIP)

    found = eigenvalues(matrices)

    expected = np.linalg.eigvalsh(matrices.astype(np.float64))[:, ::-1]
    assert np.abs(found - expected).max() <= 1.2e-7 * scale * max(map(abs, values))
    assert (np.diff(found) <= 0).all()


def test_two_are_numpy_s() -> None:
    matrices = symmetric((3, 1, -2), 200, seed=1)

    found = eigenvalues(matrices, flat=True)

    assert np.allclose(found, np.linalg.eigvalsh(matrices[:, 1:, 1:].astype(np.float64))[:, ::-1], atol=1e-6)


def test_nothing_and_diagonals_are_exact() -> None:
    matrices = np.array([np.zeros((3, 3)), np.diag([7.0, 7, 7]), np.diag([-3.0, -3, -3])], np.float32)

    assert eigenvalues(matrices).tolist() == [[0, 0, 0], [7, 7, 7], [-3, -3, -3]]
