"""Writes a file whole or not at all."""

# System calls by their names, since each is a step of the promise:
# ruff: noqa: PTH102, PTH104, PTH108, PTH112, PTH118, PTH120
from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterable

_MOST_NAME = 255  # bytes, on every file system in use
_FOLDERS_MADE = 3  # times, since another job may remove its own from around them while they are empty
_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{16}\.tmp", re.DOTALL)


def is_temporary(name: str) -> bool:
    """Whether a file is the unfinished write of somebody, who may have died."""
    return _TEMPORARY.fullmatch(name) is not None


def write_atomic(path: str, data: bytes | bytearray, *, durable: bool = False) -> None:
    """Put data at a path by a hidden file beside it and a rename: readers see the old file or the new one.

    With `durable`, file and folder are on the disk when it returns, also after a power failure.
    """
    write_parts(path, (data,), durable=durable)


def write_parts(path: str, parts: Iterable[bytes | bytearray], *, durable: bool = False) -> None:
    """The same with data that come part after part, and need not be in memory at once."""
    folder, name = os.path.split(path)
    mark = f".{secrets.token_hex(8)}.tmp"
    temporary = os.path.join(folder, f".{_shorten(name, _MOST_NAME - 1 - len(mark))}{mark}")
    try:
        descriptor = _create(temporary, folder, durable=durable)
        try:
            for part in parts:
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            os.unlink(temporary)
        raise
    if durable:
        sync_folder(folder)


def sync_folder(folder: str) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: str, folder: str, *, durable: bool) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    for _ in range(_FOLDERS_MADE):
        try:
            return os.open(path, flags, 0o666)
        except FileNotFoundError:
            with contextlib.suppress(FileNotFoundError):
                make_folder(folder, durable=durable)
    return os.open(path, flags, 0o666)


def make_folder(folder: str, *, durable: bool = False) -> None:
    """Make a folder and those above it."""
    parent = os.path.dirname(folder)
    if not os.path.isdir(parent):
        make_folder(parent, durable=durable)
    try:
        os.mkdir(folder)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise
    else:
        if durable:
            sync_folder(parent)


def _shorten(name: str, most: int) -> str:
    while len(os.fsencode(name)) > most:
        name = name[:-1]
    return name
