"""Loops over arrays in machine code by numba, which is kept beside them or in the user's cache."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache
from numba.core.runtime.nrt import rtsys

F = TypeVar("F", bound=Callable[..., Any])  # Any: whatever the loops take


class _Kept(FunctionCache):
    """Machine code of earlier processes.

    numba, before it looks there, loads all that it would compile with, which takes as long as the rest of its start;
    this looks first.
    """

    def load_overload(self, signature: Any, context: Any) -> Any:  # Any: numba's own objects
        rtsys.initialize(context)  # by whose symbols machine code finds what it calls
        with self._guard_against_spurious_io_errors():
            code = self._load_overload(signature, context)  # type: ignore[no-untyped-call]  # numba's
        if code is None:
            _leave_scipy()
        return code


def to_machine_code(function: F) -> F:
    """The function as its first call will compile it, or as an earlier process did."""
    loops: Any = numba.njit(nogil=True, error_model="numpy")(function)  # with attributes that its types do not know
    try:
        # As numba's own `cache=True` does, with another class:
        loops._cache = _Kept(function)  # type: ignore[no-untyped-call]  # numba's  # noqa: SLF001 - as above
    except RuntimeError:  # numba has found no place for its cache
        _leave_scipy()
    return cast("F", loops)


def _leave_scipy() -> None:
    """Load what numba will load to compile, without SciPy, which takes half as long as all the rest.

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
