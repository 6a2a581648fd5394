"""The fragments that forge cuts out of one piece: one object, of which any part of the labels can be read alone.

A head with a table of buckets, then a row for each label in the order of `order.py`, then the packed surfaces in the
same order; all little-endian. A bucket is one of 2^bits parts of the labels, and bits grow with their number.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.meshes.order import keys_of, part_of
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.mesh.surface import Surface

    Rows = NDArray[np.void]  # of ROW
    Buckets = NDArray[np.void]  # of BUCKET

ROW = [  # a label
    ("label", "<u8"),
    ("offset", "<u8"),  # of its surface, from the first byte of all surfaces
    ("size", "<u4"),  # of its surface, packed, in bytes
    ("vertices", "<u4"),
    ("faces", "<u4"),
    ("low", "<i4", (3,)),  # the least and the greatest coordinates of its vertices, in half voxels of the whole volume
    ("high", "<i4", (3,)),
]
BUCKET = [  # the labels of a part
    ("labels", "<u4"),
    ("check", "<u4"),  # crc32 of their rows
    ("bytes", "<u8"),  # of their surfaces, packed
    ("vertices", "<u8"),
    ("faces", "<u8"),
]
COUNTED = ("labels", "bytes", "vertices", "faces")
ROW_BYTES, BUCKET_BYTES = 52, 32
MAGIC = b"tvxfrag1"
HEAD = struct.Struct("<8sIIQQQQ")  # magic, crc32 of what follows and of the table, bits, labels, vertices, faces, bytes
FIRST_READ = 32 * 1024  # bytes, which hold the buckets of 60,000 labels
MOST_BITS = 14
FULL = 64  # labels of a bucket, about, as long as there are fewer than 2^MOST_BITS buckets
LEVEL = 3  # of zstd: higher ones take twice the time for a twentieth of the bytes


class FragmentFile(msgspec.Struct, frozen=True):
    """What the head of such an object says."""

    store: Store
    key: str
    bits: int
    labels: int
    vertices: int
    faces: int
    size: int  # of all surfaces, packed, in bytes
    table: bytes

    @classmethod
    def open(cls, store: Store, key: str) -> FragmentFile:
        """Read the head; BadInput if there is none, or if it is damaged."""
        front = store.get_range(key, 0, FIRST_READ)
        if front is None:
            raise BadInput(f"{store.url}/{key} is missing: {REMEDY}")
        if len(front) < HEAD.size:
            raise broken(store, key, "it ends within its head")
        magic, check, bits, labels, vertices, faces, size = HEAD.unpack_from(front)
        if magic != MAGIC or bits > MOST_BITS:
            raise broken(store, key, "it does not begin as it should")
        end = HEAD.size + (BUCKET_BYTES << bits)
        if end > len(front):
            front += store.get_range(key, len(front), end) or b""
        if len(front) < end:
            raise broken(store, key, "it ends within its table")
        if zlib.crc32(front[12:end]) != check:
            raise broken(store, key, "the checksum of its head is another one")
        return cls(store, key, bits, labels, vertices, faces, size, bytes(front[HEAD.size : end]))

    @property
    def buckets(self) -> Buckets:
        """What each of the 2^bits buckets holds, in the order of their parts."""
        import numpy as np

        return np.frombuffer(self.table, BUCKET)

    def sums(self, bits: int) -> dict[str, NDArray[np.uint64]]:
        """How many labels, bytes, vertices and faces each of 2^bits parts has; at most as many parts as buckets."""
        import numpy as np

        if bits > self.bits:
            raise ValueError(f"{self.key} has 2^{self.bits} buckets, which cannot be said of 2^{bits} parts")
        buckets = self.buckets
        return {name: buckets[name].astype(np.uint64).reshape(1 << bits, -1).sum(axis=1) for name in COUNTED}

    def rows(self, first: int = 0, last: int = 0, bits: int = 0) -> Rows:
        """The rows of the parts `first` to `last` of 2^bits, both included, in order: all rows, unless it is said.

        It takes one request, or none where there are no labels.
        """
        import numpy as np

        finer = bits - self.bits
        low, high = (first >> finer, last >> finer) if finer > 0 else (first << -finer, ((last + 1) << -finer) - 1)
        ends = np.cumsum(self.buckets["labels"], dtype=np.int64)
        start, stop = int(ends[low - 1]) if low else 0, int(ends[high])
        if start == stop:
            return np.empty(0, ROW)
        base = HEAD.size + len(self.table)
        data = self._get(base + start * ROW_BYTES, base + stop * ROW_BYTES, "rows")
        self._check_rows(data, low, high)
        rows = np.frombuffer(data, ROW)
        if finer > 0:
            parts = part_of(rows["label"], bits)
            rows = rows[(parts >= first) & (parts <= last)]
        return rows

    def read(self, rows: Rows) -> Iterator[tuple[int, Surface]]:
        """The label and the surface of each row, in half voxels of the whole volume.

        Rows that follow each other in the object are fetched in one request, all at once: ask for as many as fit in memory.
        """
        import numpy as np

        base = HEAD.size + len(self.table) + self.labels * ROW_BYTES
        stops = rows["offset"] + rows["size"]
        gaps = np.flatnonzero(rows["offset"][1:] != stops[:-1]) + 1
        for run in np.split(rows, gaps) if len(rows) else []:
            start = int(run["offset"][0])
            data = memoryview(self._get(base + start, base + int(run["offset"][-1]) + int(run["size"][-1]), "surfaces"))
            for row in run:
                at = int(row["offset"]) - start
                yield int(row["label"]), self._unpack(row, data[at : at + int(row["size"])])

    def _unpack(self, row: np.void, packed: memoryview) -> Surface:
        import numpy as np
        import zstandard

        from teravox.kernels.mesh.packed import BYTES, unpack

        vertices, faces = int(row["vertices"]), int(row["faces"])
        try:
            plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=BYTES * (vertices + faces))
            return unpack(np.frombuffer(plain, np.uint8), vertices, faces)
        except (zstandard.ZstdError, ValueError) as error:
            raise broken(self.store, self.key, f"label {row['label']}: {error}") from None

    def _check_rows(self, data: bytes, low: int, high: int) -> None:
        at = 0
        for labels, check in self.buckets[["labels", "check"]][low : high + 1].tolist():
            end = at + labels * ROW_BYTES
            if zlib.crc32(data[at:end]) != check:
                raise broken(self.store, self.key, "the checksum of its rows is another one")
            at = end

    def _get(self, start: int, stop: int, what: str) -> bytes:
        data = self.store.get_range(self.key, start, stop)
        if data is None or len(data) != stop - start:
            raise broken(self.store, self.key, f"it ends within its {what}")
        return data


class Packed(NamedTuple):
    """A surface as it is stored, and what its row says."""

    label: int
    data: bytes
    vertices: int
    faces: int
    low: tuple[int, int, int]
    high: tuple[int, int, int]


def pack_fragment(label: int, surface: Surface) -> Packed:
    """A surface, in half voxels of the whole volume, as it is stored."""
    import zstandard

    from teravox.kernels.mesh.packed import pack

    vertices, faces = surface
    low, high = vertices.min(axis=0).tolist(), vertices.max(axis=0).tolist()
    packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    return Packed(label, packer.compress(pack(surface).data), len(vertices), len(faces), tuple(low), tuple(high))


def join_fragments(fragments: Sequence[Packed]) -> bytes:
    """The object that holds these fragments; labels come in any order, each of them once."""
    import numpy as np

    labels = np.array([fragment.label for fragment in fragments], np.uint64)
    order = np.lexsort((labels, keys_of(labels)))
    rows = np.zeros(len(fragments), ROW)
    rows["label"] = labels[order]
    ordered = [fragments[at] for at in order.tolist()]
    for name in ("vertices", "faces", "low", "high") if ordered else ():
        rows[name] = [getattr(fragment, name) for fragment in ordered]
    rows["size"] = [len(fragment.data) for fragment in ordered]
    rows["offset"][1:] = np.cumsum(rows["size"], dtype=np.uint64)[:-1]
    bits = min(MOST_BITS, (len(rows) // FULL).bit_length())
    head, table = _head(rows, bits), _table(rows, bits).tobytes()
    check = zlib.crc32(table, zlib.crc32(head[12:])).to_bytes(4, "little")
    return b"".join([head[:8], check, head[12:], table, rows.tobytes(), *(fragment.data for fragment in ordered)])


def encode_fragments(surfaces: Iterable[tuple[int, Surface]]) -> bytes:
    """The object that holds labels and their surfaces, in half voxels of the whole volume, none of them empty."""
    return join_fragments([pack_fragment(label, surface) for label, surface in surfaces])


def _head(rows: Rows, bits: int) -> bytes:
    sums = (int(rows[name].sum(dtype="u8")) for name in ("vertices", "faces", "size"))
    return HEAD.pack(MAGIC, 0, bits, len(rows), *sums)


def _table(rows: Rows, bits: int) -> Buckets:
    import numpy as np

    table = np.zeros(1 << bits, BUCKET)
    ends = np.searchsorted(part_of(rows["label"], bits), np.arange(1, (1 << bits) + 1, dtype=np.uint64))
    start = 0
    for bucket, end in zip(table, ends.tolist(), strict=True):
        if end > start:
            some = rows[start:end]
            bucket["labels"], bucket["check"] = end - start, zlib.crc32(some.tobytes())
            for name, column in (("bytes", "size"), ("vertices", "vertices"), ("faces", "faces")):
                bucket[name] = some[column].sum(dtype="u8")
        start = end
    return table


REMEDY = "run teravox mesh forge again, with --resume to do only what is missing"


def broken(store: Store, key: str, why: str) -> BadInput:
    """What to raise of an object that cannot be read."""
    return BadInput(f"{store.url}/{key} cannot be read: {why}. It was damaged or cut off; run teravox mesh forge again")
