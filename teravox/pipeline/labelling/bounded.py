"""Keeps arrays that were used last, up to so many bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)
Array = NDArray[Any]  # of any type


class Bounded(Generic[Key]):
    """Arrays by key; the ones that nobody has asked for longest go first, and the newest always stays."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Array] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        return self._bytes

    def get(self, key: Key) -> Array | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Key, array: Array) -> None:
        with self._lock:
            self._drop(key)
            self._kept[key] = array
            self._bytes += array.nbytes
            while self._bytes > self._most and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, key: Key) -> None:
        old = self._kept.pop(key, None)
        if old is not None:
            self._bytes -= old.nbytes
