"""Compiles loops over arrays at their first use, and keeps the result beside the code or in the user's cache."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

N = TypeVar("N", bound=np.generic)
F = TypeVar("F", bound=Callable[..., Any])  # Any: whatever the loops take


def _leave_scipy() -> None:
    """Load what numba would load at the first call, without SciPy, which takes half as long as all the rest.

    numba only wants to know whether SciPy is there, for linear algebra, which our loops do not use. Where others use it,
    numba looks again.
    """
    from numba.np import linalg

    look = getattr(linalg, "ensure_blas", None)
    if look is None:  # in a numba to come, which then loads what it wants
        return
    linalg.ensure_blas = lambda: None
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = look


_leave_scipy()


def compiled(function: F) -> F:
    """The function in machine code, which lets other threads run while it does.

    Where no folder can be written to keep it, each process compiles it again.
    """
    try:
        return cast("F", numba.njit(nogil=True, cache=True, error_model="numpy")(function))
    except RuntimeError:  # numba has found no place for its cache
        return cast("F", numba.njit(nogil=True)(function))


def read_only(array: NDArray[N]) -> NDArray[N]:
    """A view that cannot be written: of arrays that can and that cannot, each would have a function compiled anew."""
    view = array.view()
    view.flags.writeable = False
    return view
