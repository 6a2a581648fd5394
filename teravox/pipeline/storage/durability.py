"""Whether this process waits until what it writes is on the disk: its operator decides, for all stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_wanted = False


def is_durable() -> bool:
    """Whether files count as written only when they would survive a power failure."""
    return _wanted


@contextmanager
def durable_writes(wanted: bool) -> Iterator[None]:
    """Have it so within the block, in all threads of this process."""
    global _wanted  # noqa: PLW0603 - threads of a pool, too, must see it
    before, _wanted = _wanted, wanted or _wanted
    try:
        yield
    finally:
        _wanted = before
