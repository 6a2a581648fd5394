from __future__ import annotations

import subprocess
import sys
from typing import Any

import numba
import numpy as np

from teravox.kernels.compiled import compiled, read_only

CALL = """
import sys
import numpy as np
from teravox.kernels.png.filters import filter_rows
filter_rows(np.zeros((4, 4), np.uint8), 1)
print("numba" in sys.modules, "scipy.linalg" in sys.modules)
"""


def test_a_call_does_not_load_scipy() -> None:
    ran = subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "False"]


def test_linear_algebra_of_others_still_finds_scipy() -> None:
    square = numba.njit(lambda matrix: np.dot(matrix, matrix))

    np.testing.assert_array_equal(square(np.full((2, 2), 3.0)), np.full((2, 2), 18.0))


def test_a_function_is_compiled_once_for_arrays_that_can_and_that_cannot_be_written() -> None:
    count: Any = compiled(lambda array: array.size)
    array = np.zeros(3, np.uint8)
    fixed = array.copy()
    fixed.flags.writeable = False
    assert count(read_only(array)) == count(read_only(fixed)) == 3
    assert len(count.signatures) == 1
    assert array.flags.writeable
