"""A file that is packed with gzip, read from any place by an index of it."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import zlib

from teravox.pipeline.errors import BadInput
from teravox.pipeline.sources.extras import load
from teravox.pipeline.sources.plain_bytes import PlainBytes
from teravox.pipeline.storage.tally import TALLY

POINTS = 1000  # in an index: each takes 32 KiB, and a reader unpacks on average half of what lies between two
WINDOW = 1 << 15  # bytes that an index keeps of each point
LEAST = 1 << 22  # bytes between two points
READ_BUFFER = 1 << 20
STREAM_BUFFER = 1 << 22


class GzipBytes:
    """What is packed, from byte `begin` of the file on; one thread at a time reads.

    Without an index everything before a place is unpacked on the way to it, but none of it is kept.
    """

    lanes = 1

    def __init__(self, path: str, *, begin: int, size: int) -> None:
        self.path = path
        self._begin = begin
        self._size = size
        self._lock = threading.Lock()
        self._indexed = load("indexed_gzip", f"gzip files such as {path}")
        self._plain = PlainBytes(path, 1)
        self._file = self._open(None)

    @property
    def memory(self) -> int:
        """The most that the index and the buffers take; an index is twice there while it is taken in."""
        return 2 * WINDOW * (self._size // self._spacing + 2) + READ_BUFFER + 2 * STREAM_BUFFER

    def fill(self, buffer: memoryview, start: int) -> None:
        at = 0
        with self._lock:
            try:
                self._file.seek(start)
                while at < len(buffer):
                    count = self._file.readinto(buffer[at:])
                    if not count:
                        raise BadInput(
                            f"{self.path} is cut off: unpacked it ends at byte {start + at:,}, where {len(buffer) - at:,} more are expected"
                        )
                    at += count
            except (OSError, zlib.error, ValueError) as error:
                raise BadInput(f"{self.path} cannot be unpacked: {error}. Test it with: gzip -t") from None
        TALLY.read(at)

    def index_name(self) -> str:
        """A name for the index, which changes with the file."""
        facts = os.stat(self.path)  # noqa: PTH116 - a plain path
        text = f"{self.path}\n{facts.st_size}\n{facts.st_mtime_ns}\n{self._begin}\n{self._spacing}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def make_index(self) -> bytes:
        """Unpack the whole file once, without keeping it, and note where one can begin."""
        with self._lock:
            try:
                self._file.build_full_index()
                written = io.BytesIO()
                self._file.export_index(fileobj=written)
            except (OSError, zlib.error, ValueError) as error:
                raise BadInput(f"{self.path} cannot be unpacked: {error}. Test it with: gzip -t") from None
        return written.getvalue()

    def use_index(self, index: bytes) -> None:
        with self._lock:
            self._file.close()
            self._file = self._open(index)

    def close(self) -> None:
        self._file.close()
        self._plain.close()

    @property
    def _spacing(self) -> int:
        return max(LEAST, self._size // POINTS)

    def _open(self, index: bytes | None):  # type: ignore[no-untyped-def]  # noqa: ANN202 - indexed_gzip has no types
        inner = io.BufferedReader(_Behind(self._plain, self._begin), STREAM_BUFFER)
        file = self._indexed.IndexedGzipFile(
            fileobj=inner,
            spacing=self._spacing,
            window_size=WINDOW,
            readbuf_size=READ_BUFFER,
            buffer_size=STREAM_BUFFER,
        )
        if index is not None:
            file.import_index(fileobj=io.BytesIO(index))
        return file


class _Behind(io.RawIOBase):
    """The rest of a file from some byte on, as a file of its own."""

    def __init__(self, plain: PlainBytes, begin: int) -> None:
        self._plain = plain
        self._begin = begin
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._plain.size - self._begin}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # always given one by io
        left = max(0, self._plain.size - self._begin - self._at)
        wanted = memoryview(buffer).cast("B")[:left]
        if len(wanted):
            self._plain.fill(wanted, self._begin + self._at)
        self._at += len(wanted)
        return len(wanted)
