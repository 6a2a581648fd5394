"""Rows in an object of which a range of keys can be read without the rest.

A head of 40 bytes, then the key of every so-many-th row, then the rows, sorted by key; all little-endian. A row is of
one type throughout, and begins with its key.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.side_by_side import LANES, side_by_side
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[Any]  # structures or rows of columns

MAGIC = b"tvxrows2"
HEAD = struct.Struct("<8sQII16s")  # magic, rows, bytes of a row, rows from mark to mark, digest of what comes after
MARKS = 128  # at least so many keys stand in front, where there are so many rows, ...
FAR = 1024  # ... and at least one for so many rows
FIRST_READ = 16 * 1024  # bytes, which hold the marks of two million rows
KEY = 8  # bytes that a row begins with


class RowsFile(msgspec.Struct, frozen=True):
    """What the front of such an object says."""

    store: Store
    key: str
    remedy: str  # what to do where it is missing or damaged
    rows: int
    width: int  # bytes of a row
    step: int
    digest: str
    marks: bytes

    @classmethod
    def open(cls, store: Store, key: str, remedy: str) -> RowsFile:
        """The front of an object; BadInput if it is missing or damaged."""
        front = store.get_range(key, 0, FIRST_READ)
        if front is None:
            raise broken(store, key, "it is missing", remedy)
        if len(front) < HEAD.size:
            raise broken(store, key, "it ends within its head", remedy)
        magic, rows, width, step, digest = HEAD.unpack_from(front)
        if magic != MAGIC or not step or width < KEY:
            raise broken(store, key, "it does not begin as it should", remedy)
        end = HEAD.size + KEY * -(-rows // step)
        if end > len(front):
            front += store.get_range(key, len(front), end) or b""
        if len(front) < end:
            raise broken(store, key, "it ends within its marks", remedy)
        return cls(store, key, remedy, rows, width, step, digest.hex(), bytes(front[HEAD.size : end]))

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The key of every `step`th row."""
        import numpy as np

        return np.frombuffer(self.marks, "<u8")

    def read(self, first: int, last: int, kind: np.dtype[Any] | None = None) -> Rows:
        """The rows whose keys lie from `first` to `last`, both included; `kind` is the type of a row, or 64-bit columns."""
        import numpy as np

        kind = np.dtype(("<u8", (self.width // KEY,))) if kind is None else kind
        if kind.itemsize != self.width:
            raise broken(self.store, self.key, f"its rows have {self.width} bytes and not {kind.itemsize}", self.remedy)
        low, high = np.array([first, last], np.uint64)
        start = max(0, int(np.searchsorted(self.keys, low)) - 1) * self.step
        stop = min(self.rows, int(np.searchsorted(self.keys, high, "right")) * self.step)
        if stop <= start:
            return np.empty(0, kind)
        base = HEAD.size + len(self.marks)
        data = self.store.get_range(self.key, base + start * self.width, base + stop * self.width)
        if data is None or len(data) != (stop - start) * self.width:
            raise broken(self.store, self.key, "it ends within its rows", self.remedy)
        if (start, stop) == (0, self.rows) and _digest(self.marks, data).hex() != self.digest:
            raise broken(self.store, self.key, "its digest is another one", self.remedy)
        keys = _keys(data, self.width)
        return np.frombuffer(data, kind)[np.searchsorted(keys, low) : np.searchsorted(keys, high, "right")]


def encode_rows(rows: Rows) -> bytes:
    """The object that holds rows, which are sorted by key."""
    body = rows.tobytes()
    width = rows.dtype.itemsize * (rows.shape[1] if rows.ndim > 1 else 1)
    step = max(1, min(FAR, len(rows) // MARKS))
    marks = _keys(body, width)[::step].tobytes()
    return HEAD.pack(MAGIC, len(rows), width, step, _digest(marks, body)) + marks + body


def open_all(store: Store, keys: Iterable[str], remedy: str) -> Iterator[RowsFile]:
    """Files, in the order of their keys; many are opened at once."""
    some: list[str] = []
    for key in keys:
        some.append(key)
        if len(some) == 4 * LANES:
            yield from _open_some(store, some, remedy)
            some = []
    yield from _open_some(store, some, remedy)


def _open_some(store: Store, keys: list[str], remedy: str) -> Iterator[RowsFile]:
    found = dict(side_by_side(lambda key: (key, RowsFile.open(store, key, remedy)), keys))
    return (found[key] for key in keys)


def broken(store: Store, key: str, why: str, remedy: str) -> BadInput:
    """What to raise of an object that cannot be read."""
    return BadInput(f"{store.url}/{key} cannot be read: {why}. {remedy}")


def _keys(body: bytes | bytearray, width: int) -> NDArray[np.uint64]:
    import numpy as np

    return np.ndarray(len(body) // width, "<u8", body, strides=(width,))


def _digest(marks: bytes, body: bytes | bytearray) -> bytes:
    digest = hashlib.blake2b(marks, digest_size=16)
    digest.update(body)
    return digest.digest()
