"""Processes of this machine, known by their number and the time of their birth."""

from __future__ import annotations


def runs(pid: int, born: float) -> bool:
    """Whether a process still is the one that was born then, and not a later one of the same number."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - born) < 1
    except psutil.NoSuchProcess:
        return False


def own_birth() -> float:
    """When this process was born: Unix time, by its machine."""
    import psutil

    return psutil.Process().create_time()
