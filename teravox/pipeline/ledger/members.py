"""Lines in gzip members, one after another, so that an unfinished end spoils nothing before it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

GZIP = 31  # zlib's word for a gzip header and trailer
HEADER = b"\x1f\x8b\x08\0\0\0\0\0"  # of a member without name and time
WINDOW = 8192  # bytes inflated at a time; what lies past the end of a member is copied, so it is kept short
LARGEST = 1 << 28  # bytes that a member may inflate to


class Unreadable(Exception):
    """Bytes in the middle of a file are no gzip member."""


def pack(lines: Iterable[bytes], level: int = 6) -> bytes:
    """One gzip member of these lines; the same lines give the same bytes."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, GZIP)
    return b"".join([deflater.compress(b"".join(line + b"\n" for line in lines)), deflater.flush()])


def unpack(data: bytes) -> Iterator[bytes]:
    """The lines of all members; what a kill or a power loss left of a last one is passed over."""
    at = 0
    while at < len(data):
        try:
            text, end = _inflate(data, at)
        except zlib.error as error:
            if data.find(HEADER, at + 1) < 0:
                return  # no member follows, so this is a spoilt end
            raise Unreadable(f"at byte {at:,}: {error}") from None
        if end is None:
            return
        yield from text.splitlines()
        at = end


def _inflate(data: bytes, start: int) -> tuple[bytes, int | None]:
    """The text of the member that begins here, and where it ends; None if it ends nowhere."""
    inflater = zlib.decompressobj(GZIP)
    view = memoryview(data)
    parts: list[bytes] = []
    size = 0
    at = start
    while at < len(view) and not inflater.eof:
        parts.append(inflater.decompress(view[at : at + WINDOW]))
        at = min(at + WINDOW, len(view))
        size += len(parts[-1])
        if size > LARGEST:
            raise Unreadable(f"at byte {start:,}: a member inflates to more than {LARGEST:,} bytes")
    return b"".join(parts), at - len(inflater.unused_data) if inflater.eof else None
