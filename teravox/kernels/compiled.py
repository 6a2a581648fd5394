"""Compiles loops over arrays at their first use, and keeps the result beside the code or in the user's cache."""

from __future__ import annotations

import gc
import importlib
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

N = TypeVar("N", bound=np.generic)
F = TypeVar("F", bound=Callable[..., Any])  # Any: whatever the loops take

_lock = threading.Lock()


def compiled(function: F) -> F:
    """The function in machine code, which lets other threads run while it does.

    Where no folder can be written to keep it, each process compiles it again.
    """
    _load_numba()
    from teravox.kernels.machine_code import to_machine_code

    return to_machine_code(function)


def _load_numba() -> None:
    """Load it while the collector of garbage rests, which would go through all of it several times and find none."""
    with _lock:
        if "teravox.kernels.machine_code" in sys.modules or not gc.isenabled():
            return
        gc.disable()
        try:
            importlib.import_module("teravox.kernels.machine_code")
        finally:
            gc.enable()


def read_only(array: NDArray[N]) -> NDArray[N]:
    """A view that cannot be written: of arrays that can and that cannot, each would have a function compiled anew."""
    view = array.view()
    view.flags.writeable = False
    return view
