"""Unix time that goes on evenly, whatever happens to the wall clock, and also while the machine sleeps."""

from __future__ import annotations

import sys
import time

if sys.platform == "linux":

    def _ticks() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    _ticks = time.monotonic

_BEGAN = time.time() - _ticks()


def steady_time() -> float:
    """Seconds since 1970 by the wall clock at import, counted on by a clock that nobody sets."""
    return _BEGAN + _ticks()
