"""Keeps bytes until they are wanted: a little in memory, and more than that in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import NamedTuple, Self

IN_MEMORY = 16 * 1024 * 1024  # bytes
AT_ONCE = 8 * 1024 * 1024  # bytes of a part


class Span(NamedTuple):
    """Where bytes lie in a spool."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


class Spool:
    """A file without a name, in memory while it is small; it goes when it is closed, or when the process ends.

    The temporary folder is the one that the environment names in TMPDIR.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - it lives as long as the spool
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, data: bytes | memoryview) -> Span:
        """Add bytes; where they lie."""
        self._file.seek(self._end)
        self._file.write(data)
        span = Span(self._end, self._end + len(data))
        self._end = span.stop
        return span

    def put_parts(self, parts: Iterable[bytes]) -> Span:
        """Add bytes that come part after part; where all of them lie."""
        start = self._end
        for part in parts:
            self.put(part)
        return Span(start, self._end)

    def parts(self, span: Span) -> Iterator[bytes]:
        """The bytes that were put there, some at a time."""
        for start in range(span.start, span.stop, AT_ONCE):
            yield self.get(Span(start, min(start + AT_ONCE, span.stop)))

    def get(self, span: Span) -> bytes:
        """The bytes that were put there."""
        self._file.seek(span.start)
        return self._file.read(span.size)
