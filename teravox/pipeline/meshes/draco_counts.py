"""How large a mesh is that Draco has packed, from its first bytes: before memory is taken for it."""

from __future__ import annotations

MAGIC = b"DRACO"
HEAD = 11  # bytes: the magic, version, kind, method, flags
EDGEBREAKER = 1
METADATA = 0x8000
_LONGEST = 32  # bytes of the head and of the numbers behind it


def count_packed(data: bytes) -> tuple[int, int] | None:
    """The vertices and faces of a fragment; None where its head does not say so.

    See https://google.github.io/draco/spec/: a mesh says them first, in groups of seven bits.
    """
    head = data[:_LONGEST]
    if len(head) < HEAD or not head.startswith(MAGIC):
        return None
    version, method, flags = head[5] * 256 + head[6], head[8], int.from_bytes(head[9:11], "little")
    if version < 2 * 256 + 2 or flags & METADATA:
        return None
    try:
        if method == EDGEBREAKER:
            vertices, at = _number(head, HEAD + 1)
            faces, _ = _number(head, at)
        else:
            faces, at = _number(head, HEAD)
            vertices, _ = _number(head, at)
    except IndexError:
        return None
    return vertices, faces


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first; and where the next one begins."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
