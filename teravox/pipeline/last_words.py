"""What each thread is about to do with data that may crash the process, written where it outlives the crash.

Libraries in C that are given broken data may end the process without a word of which data these were.
A child writes that into a file which its supervisor gave it, and the supervisor reads it when the child has died.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import tempfile
import threading
from collections.abc import Iterator

SLOT = 1024  # bytes in the file, for each thread
HEAD = struct.Struct("=QH")  # the thread, and the length of its words
SILENCE = HEAD.pack(0, 0)

_numbers = itertools.count()
_here = threading.local()
_file: int | None = None


def make_file() -> int:
    """A file without a name, for one child; a file descriptor."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("teravox-last-words")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def keep_in(file: int) -> None:
    """From here on, let the words of this process go to a file."""
    global _file  # noqa: PLW0603 - a process has one such file, and threads deep down write to it
    _file = file


@contextlib.contextmanager
def saying(words: str) -> Iterator[None]:
    """Have these be the thread's last words if the process ends before the block does; costs some microseconds."""
    if _file is None:
        yield
        return
    if not hasattr(_here, "place"):
        _here.place = next(_numbers) * SLOT
    said = words.encode(errors="replace")[: SLOT - HEAD.size]
    _write(HEAD.pack(threading.get_ident(), len(said)) + said)
    try:
        yield
    finally:
        _write(SILENCE)


def hear(file: int, thread: int | None) -> list[str]:
    """The last words of that thread; of all threads, where it is not known which one it was or it said nothing."""
    heard: dict[int, str] = {}
    for place in itertools.count(0, SLOT):
        slot = os.pread(file, SLOT, place)
        if len(slot) < HEAD.size:
            break
        who, length = HEAD.unpack_from(slot)
        if length:
            heard[who] = slot[HEAD.size : HEAD.size + length].decode(errors="replace")
    return [heard[thread]] if thread in heard else list(heard.values())


def _write(data: bytes) -> None:
    if _file is not None:
        with contextlib.suppress(OSError):  # no task fails for want of a place for its last words
            os.pwrite(_file, data, _here.place)
