"""The part of an object that a request asks for: `Range: bytes=0-15`."""

from __future__ import annotations

import re
from typing import NamedTuple

_RANGE = re.compile(r"\s*bytes\s*=\s*(?:([0-9]{1,18})\s*-\s*([0-9]{1,18})?|-\s*([0-9]{1,18}))\s*", re.ASCII)


class ByteRange(NamedTuple):
    """From `start` up to `stop`; without a stop up to the end, and with a negative start so many last bytes."""

    start: int
    stop: int | None

    def of(self, data: bytes) -> tuple[int, bytes]:
        """Where the part begins in the whole, and the part."""
        start = max(0, len(data) + self.start) if self.start < 0 else self.start
        return start, data[start : self.stop]


def parse_range(header: str | None) -> ByteRange | None:
    """What a `Range` header asks for; None where it asks for the whole, or for what one may answer with the whole."""
    found = _RANGE.fullmatch(header or "")
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return ByteRange(-int(suffix), None) if int(suffix) else None
    if last is None:
        return ByteRange(int(first), None)
    return ByteRange(int(first), int(last) + 1) if int(last) >= int(first) else None


def content_range(start: int, part: bytes, total: int | None) -> str:
    """The `Content-Range` of an answer; a total that nobody knows is a star."""
    return f"bytes {start}-{start + len(part) - 1}/{'*' if total is None else total}"
