"""Turns what a file system refuses into one sentence, classed by whether a later try can help."""

from __future__ import annotations

import errno
import os

from teravox.pipeline.errors import Fatal, Transient

_PASSES = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.EIO,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENOLCK,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)
_HINTS = {
    errno.ENOSPC: "free some space there; what was written before is whole",
    errno.EDQUOT: "your quota there is used up; what was written before is whole",
    errno.EACCES: "ask for permission on this path",
    errno.EPERM: "ask for permission on this path",
    errno.EROFS: "it is mounted read-only",
    errno.EMFILE: "raise `ulimit -n`",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENAMETOOLONG: "the file system takes no names of this length",
}


def explain(error: OSError, verb: str, path: str) -> Fatal | Transient:
    """The error to raise for an OSError: `Cannot write PATH: No space left on device (ENOSPC); …`."""
    number = error.errno or 0
    name = errno.errorcode.get(number, "no errno")
    hint = _HINTS.get(number)
    sentence = f"cannot {verb} {path}: {os.strerror(number)} ({name})" + (f"; {hint}" if hint else "")
    return Transient(sentence) if number in _PASSES else Fatal(sentence)
