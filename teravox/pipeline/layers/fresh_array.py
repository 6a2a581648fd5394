"""Arrays that threads are going to fill side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

_PAGE = 4096  # bytes of memory that the system gives at once, at least


def make_array(length: int, dtype: DTypeLike) -> NDArray[Any]:
    """An array whose memory is there, and holds anything.

    Threads that are the first in one large page at the same time would each clear a whole one.
    """
    import numpy as np

    array = np.empty(length, dtype)
    array.view(np.uint8)[::_PAGE] = 0
    return array
