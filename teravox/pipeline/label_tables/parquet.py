"""Writes columns of numbers as a Parquet file: row groups of one page a column, packed with zstd.

https://parquet.apache.org/docs/file-format/
Such a file is all that is needed here, and a library that writes every Parquet file is larger than teravox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from teravox import __version__
from teravox.pipeline.label_tables.thrift import Value, array, i32, i64, struct, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[Any]]  # of one length, of the types in TYPES

MAGIC = b"PAR1"
TYPES = {"<u8": (2, 14), "<i4": (1, None), "<f8": (5, None)}  # Parquet's type, and how its numbers are to be taken
_REQUIRED, _PLAIN, _RLE, _ZSTD, _DATA_PAGE = 0, 0, 3, 6, 0
_LEVEL = 3  # of zstd


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Where the packed numbers of a column lie in a file."""

    start: int
    size: int


class ParquetWriter:
    """Hands a file to `write` from front to end, a row group at a time. The same columns give the same bytes."""

    def __init__(self, write: Callable[[bytes], object], types: Mapping[str, str]) -> None:
        self._write = write
        self._types = types
        self._at = 0
        self._rows = 0
        self._groups: list[Value] = []
        self._put(MAGIC)

    def add(self, columns: Columns) -> dict[str, Span]:
        """Write a row group; where its columns lie."""
        import zstandard

        spans = {}
        chunks = []
        rows = len(next(iter(columns.values())))
        size = 0
        for name, type in self._types.items():
            plain = columns[name].astype(type, copy=False).tobytes()
            packed = zstandard.compress(plain, _LEVEL)
            head = _page_head(rows, len(plain), len(packed))
            spans[name] = Span(self._at + len(head), len(packed))
            chunks.append(_chunk(name, type, rows, self._at, len(head) + len(plain), len(head) + len(packed)))
            size += len(head) + len(plain)
            self._put(head + packed)
        self._groups.append(struct({1: array(chunks), 2: i64(size), 3: i64(rows)}))
        self._rows += rows
        return spans

    def close(self) -> None:
        """Write what stands at the end; the file is whole then."""
        root = struct({3: i32(_REQUIRED), 4: text("schema"), 5: i32(len(self._types))})
        fields = {
            1: i32(1),
            2: array([root, *(_column(name, type) for name, type in self._types.items())]),
            3: i64(self._rows),
            4: array(self._groups) if self._groups else Value(9, b"\x0c"),  # a list of no structs
            6: text(f"teravox version {__version__}"),
        }
        foot = struct(fields).data
        self._put(foot + len(foot).to_bytes(4, "little") + MAGIC)

    def _put(self, data: bytes) -> None:
        self._write(data)
        self._at += len(data)


def unpack(packed: bytes, type: str, rows: int) -> NDArray[Any]:
    """The numbers of a column; ValueError where they are not so many."""
    import numpy as np
    import zstandard

    size = rows * np.dtype(type).itemsize
    try:
        plain = zstandard.decompress(packed, max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    if len(plain) != size:
        raise ValueError(f"it has {len(plain):,} bytes where {size:,} are expected")
    return np.frombuffer(plain, type)


def _column(name: str, type: str) -> Value:
    physical, converted = TYPES[type]
    fields = {1: i32(physical), 3: i32(_REQUIRED), 4: text(name)}
    return struct(fields if converted is None else {**fields, 6: i32(converted)})


def _chunk(name: str, type: str, rows: int, at: int, plain: int, packed: int) -> Value:
    fields = {
        1: i32(TYPES[type][0]),
        2: array([i32(_PLAIN), i32(_RLE)]),
        3: array([text(name)]),
        4: i32(_ZSTD),
        5: i64(rows),
        6: i64(plain),
        7: i64(packed),
        9: i64(at),
    }
    return struct({2: i64(at), 3: struct(fields)})


def _page_head(rows: int, plain: int, packed: int) -> bytes:
    numbers = struct({1: i32(rows), 2: i32(_PLAIN), 3: i32(_RLE), 4: i32(_RLE)})
    return struct({1: i32(_DATA_PAGE), 2: i32(plain), 3: i32(packed), 5: numbers}).data
