"""How much memory a process uses, and has used."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def forget_peak() -> None:
    """Begin a new peak, where the system can (Linux): each task has its own."""
    with contextlib.suppress(OSError):  # elsewhere the peak is that of the process' life
        _RESET.write_text("5")


def peak_memory() -> int:
    """The most bytes this process has held since `forget_peak`."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
        if found:
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory_of(pid: int) -> int:
    """The bytes that another process holds now; 0 if it is gone."""
    if (
        platform.system() == "Linux"
    ):  # with no library, which would take longer to load than many jobs' supervisors work
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
