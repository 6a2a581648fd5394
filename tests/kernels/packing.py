"""Packs arrays in several threads at once, for what packers must have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

P = TypeVar("P")
Labels = NDArray[np.uint32]


def pack_in_threads(pack: Callable[[Labels], P]) -> list[tuple[Labels, set[P]]]:
    """Some arrays, and all that became of each one, which a thread of its own packed time and again."""
    packed: list[tuple[Labels, set[P]]] = [
        (np.random.default_rng(seed).integers(0, 3, (30, 31, 9), np.uint32).repeat(3, 1), set()) for seed in range(4)
    ]

    def pack_again(array: Labels, made: set[P]) -> None:
        for _ in range(20):
            made.add(pack(array))

    threads = [threading.Thread(target=pack_again, args=one) for one in packed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return packed
