"""Counts what goes through the stores of this process, and notes what a task leaves behind."""

from __future__ import annotations

import os
import threading
import zlib

import msgspec

from teravox.pipeline.storage.urls import normalize


class Tallied(msgspec.Struct, frozen=True):
    """What went through all stores between `begin` and `end`."""

    bytes_in: int  # as stored, so before decompression
    bytes_out: int  # as stored, so after compression
    outputs: dict[str, tuple[int, int]]  # key below home, else full URL → size and crc32 as stored
    requests_in: int = 0  # that read, as a bucket would be asked: GET and HEAD
    requests_out: int = 0  # that write: PUT


class Tally:
    """Every store reports to `TALLY`; a worker wraps `begin` and `end` around a task."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._home: str | None = None
        self._bytes_in = 0
        self._bytes_out = 0
        self._requests_in = 0
        self._requests_out = 0
        self._outputs: dict[str, tuple[int, int]] = {}

    def begin(self, home: str) -> None:
        """Start from zero; what is put below `home` is named relative to it."""
        with self._lock:
            self._home = normalize(home) + "/"
            self._bytes_in = self._bytes_out = 0
            self._requests_in = self._requests_out = 0
            self._outputs = {}

    def end(self) -> Tallied:
        """What was counted since `begin`; outputs are noted no longer."""
        with self._lock:
            tallied = Tallied(self._bytes_in, self._bytes_out, self._outputs, self._requests_in, self._requests_out)
            self._home = None
            self._outputs = {}
            return tallied

    def read(self, size: int) -> None:
        """A request was answered with so many bytes."""
        with self._lock:
            self._bytes_in += size
            self._requests_in += 1

    def wrote(self, size: int) -> None:
        """Bytes went out that are no output of their own: an appended record."""
        with self._lock:
            self._bytes_out += size
            self._requests_out += 1

    def put(self, url: str, key: str, stored: bytes | bytearray) -> None:
        """An object was written as these bytes."""
        self.put_summed(url, key, len(stored), zlib.crc32(stored))

    def put_summed(self, url: str, key: str, size: int, crc: int) -> None:
        """An object was written as so many bytes with this crc32."""
        with self._lock:
            self._bytes_out += size
            self._requests_out += 1
            if self._home is not None:
                self._outputs[self._name(url, key)] = (size, crc)

    def deleted(self, url: str, key: str) -> None:
        """An object was removed, so it is no output any more."""
        with self._lock:
            if self._home is not None:
                self._outputs.pop(self._name(url, key), None)

    def _name(self, url: str, key: str) -> str:
        return f"{url}/{key}".removeprefix(self._home or "")


TALLY = Tally()
