"""Which label becomes which other one, as it is kept beside the fragments: a worker reads only the rows that it needs.

A head, then the first label of every block of rows, then the rows, sorted by label; all little-endian.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.objects.forging.remap_file import Pairs

    Labels = NDArray[np.uint64]

NAME = "remap.table"
MAGIC = b"tvxremp1"
HEAD = struct.Struct("<8sQ16s")  # magic, rows, digest of the first labels
BLOCK = 4096  # rows
MOST_BLOCKS = 16  # of a request
CHECK = 8  # bytes behind each block
PAIR = 16


def encode_remap(pairs: Pairs) -> bytes:
    """The object that holds pairs, sorted by their first labels."""
    first = pairs[::BLOCK, 0].astype("<u8").tobytes()
    blocks = (pairs[at : at + BLOCK].astype("<u8").tobytes() for at in range(0, len(pairs), BLOCK))
    return HEAD.pack(MAGIC, len(pairs), _digest(first, 16)) + first + b"".join(b + _digest(b, CHECK) for b in blocks)


def remap(store: Store, key: str, labels: Labels) -> Labels:
    """What labels become; one that the table does not list stays as it is."""
    import numpy as np

    head = store.get_range(key, 0, HEAD.size)
    if head is None:
        raise BadInput(f"{store.url}/{key} is missing, which says what labels become: queue the job again")
    if len(head) < HEAD.size or head[: len(MAGIC)] != MAGIC:
        raise _broken(store, key)
    _, rows, digest = HEAD.unpack(head)
    start = HEAD.size + 8 * -(-rows // BLOCK)
    first = store.get_range(key, HEAD.size, start) or b""
    if _digest(first, 16) != digest:
        raise _broken(store, key)
    order = np.argsort(labels)
    wanted, became = labels[order], labels[order]
    for run in _runs(np.frombuffer(first, "<u8"), wanted):
        _apply(store, key, start, rows, run, wanted, became)
    result = np.empty_like(became)
    result[order] = became
    return result


class _Run(NamedTuple):
    """Blocks that follow each other."""

    first: int
    blocks: int


def _runs(first: Labels, wanted: Labels) -> Iterator[_Run]:
    """The blocks that may hold labels."""
    import numpy as np

    blocks = np.unique(np.searchsorted(first, wanted, "right").astype(np.int64) - 1)
    blocks = blocks[blocks >= 0]
    for run in np.split(blocks, np.flatnonzero(np.diff(blocks) > 1) + 1) if len(blocks) else []:
        for at in range(0, len(run), MOST_BLOCKS):
            some = run[at : at + MOST_BLOCKS]
            yield _Run(int(some[0]), len(some))


def _apply(store: Store, key: str, start: int, rows: int, run: _Run, wanted: Labels, became: Labels) -> None:
    import numpy as np

    size = BLOCK * PAIR + CHECK
    stop = min((run.first + run.blocks) * size, rows * PAIR + -(-rows // BLOCK) * CHECK)
    data = store.get_range(key, start + run.first * size, start + stop) or b""
    for at in range(0, stop - run.first * size, size):
        block = data[at : at + size]
        if len(block) <= CHECK or _digest(block[:-CHECK], CHECK) != block[-CHECK:]:
            raise _broken(store, key)
        pairs = np.frombuffer(block[:-CHECK], "<u8").reshape(-1, 2)
        low, high = np.searchsorted(wanted, pairs[0, 0]), np.searchsorted(wanted, pairs[-1, 0], "right")
        some = wanted[low:high]
        found = np.searchsorted(pairs[:, 0], some)
        became[low:high] = np.where(pairs[found, 0] == some, pairs[found, 1], some)


def _digest(data: bytes, size: int) -> bytes:
    return hashlib.blake2b(data, digest_size=size).digest()


def _broken(store: Store, key: str) -> BadInput:
    return BadInput(f"{store.url}/{key} cannot be read: it was damaged or cut off; queue the job again")
