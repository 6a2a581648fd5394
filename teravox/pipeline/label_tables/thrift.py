"""Structs in the compact form of Thrift, as far as the metadata of Parquet files need it.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12  # types of fields


class Value(NamedTuple):
    """A value and its type."""

    type: int
    data: bytes


def i32(number: int) -> Value:
    return Value(I32, _zigzag(number))


def i64(number: int) -> Value:
    return Value(I64, _zigzag(number))


def text(letters: str) -> Value:
    data = letters.encode()
    return Value(BINARY, _varint(len(data)) + data)


def struct(fields: Mapping[int, Value]) -> Value:
    """A struct, of its fields by their numbers."""
    data = b""
    before = 0
    for number, value in sorted(fields.items()):
        gap = number - before
        data += bytes([gap << 4 | value.type]) if gap < 16 else bytes([value.type]) + _zigzag(number)
        data += value.data
        before = number
    return Value(STRUCT, data + b"\0")


def array(values: list[Value]) -> Value:
    """A list of values of one type, which are not none."""
    short = len(values) < 15
    head = bytes([(len(values) if short else 15) << 4 | values[0].type])
    return Value(LIST, head + (b"" if short else _varint(len(values))) + b"".join(value.data for value in values))


def _zigzag(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _varint(number: int) -> bytes:
    data = bytearray()
    while number >= 128:
        data.append(number & 127 | 128)
        number >>= 7
    data.append(number)
    return bytes(data)
