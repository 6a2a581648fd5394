"""Rows of labels in an object of which a range of labels can be read without the rest.

A head of 32 bytes, then the label of every so-many-th row, then the rows, sorted by label; all little-endian.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.label_table import Rows

MAGIC = b"tvxrows1"
HEAD = struct.Struct("<8sII16s")  # magic, rows, rows from mark to mark, digest of what comes after
MARKS = 64  # at least so many labels stand in front, where there are so many rows
FAR = 1024  # rows from mark to mark, at most
FIRST_READ = 16 * 1024  # bytes, which hold the marks of a million rows


class RowsFile(msgspec.Struct, frozen=True):
    """What the front of such an object says."""

    store: Store
    key: str
    rows: int
    step: int
    digest: str
    marks: bytes  # labels, as 64-bit numbers

    @classmethod
    def open(cls, store: Store, key: str) -> RowsFile | None:
        """The front of an object; None if it is not there."""
        front = store.get_range(key, 0, FIRST_READ)
        if front is None:
            return None
        if len(front) < HEAD.size:
            raise broken(store, key, "it ends within its head")
        magic, rows, step, digest = HEAD.unpack_from(front)
        if magic != MAGIC or not step:
            raise broken(store, key, "it does not begin as it should")
        end = HEAD.size + 8 * -(-rows // step)
        if end > len(front):
            front += store.get_range(key, len(front), end) or b""
        if len(front) < end:
            raise broken(store, key, "it ends within its marks")
        return cls(store, key, rows, step, digest.hex(), bytes(front[HEAD.size : end]))

    @property
    def labels(self) -> NDArray[np.uint64]:
        """The label of every `step`th row."""
        import numpy as np

        return np.frombuffer(self.marks, "<u8")

    def read(self, first: int, last: int) -> Rows:
        """The rows of the labels from `first` to `last`, both included."""
        import numpy as np

        from teravox.kernels.label_table import ROW

        low, high = np.array([first, last], np.uint64)
        start = max(0, int(np.searchsorted(self.labels, low)) - 1) * self.step
        stop = min(self.rows, int(np.searchsorted(self.labels, high, "right")) * self.step)
        if stop <= start:
            return np.empty(0, ROW)
        base = HEAD.size + len(self.marks)
        begin, end = base + start * ROW.itemsize, base + stop * ROW.itemsize
        data = self.store.get_range(self.key, begin, end)
        if data is None or len(data) != end - begin:
            raise broken(self.store, self.key, "it ends within its rows")
        rows = np.frombuffer(data, ROW)
        if (start, stop) == (0, self.rows) and _digest(self.marks, data).hex() != self.digest:
            raise broken(self.store, self.key, "its digest is another one")
        return rows[np.searchsorted(rows["label"], low) : np.searchsorted(rows["label"], high, "right")]


def encode_rows(rows: Rows) -> bytes:
    """The object that holds rows, which are sorted by label."""
    step = max(1, min(FAR, len(rows) // MARKS))
    marks, body = rows["label"][::step].tobytes(), rows.tobytes()
    return HEAD.pack(MAGIC, len(rows), step, _digest(marks, body)) + marks + body


def broken(store: Store, key: str, why: str) -> BadInput:
    """What to raise of an object that cannot be read."""
    return BadInput(f"{store.url}/{key} cannot be read: {why}. It was damaged or cut off; run image count again")


def _digest(marks: bytes, body: bytes) -> bytes:
    digest = hashlib.blake2b(marks, digest_size=16)
    digest.update(body)
    return digest.digest()
