"""The fragments that forge cuts out of one piece: one object, of which any part of the labels can be read alone.

A head with a table of buckets, then a row for each label in the order of `order.py`, then the packed meshes or skeletons
in the same order; all little-endian. A bucket is one of 2^bits parts of the labels, and bits grow with their number.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.order import keys_of, part_of
from teravox.pipeline.objects.sort import MESH, SKELETON, Sort
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.void]  # of row_type
    Buckets = NDArray[np.void]  # of bucket_type

T = TypeVar("T", bound=tuple[Any, ...])  # its vertices, what links them, and whatever else there is

ROW_BYTES, BUCKET_BYTES = 52, 32
MAGIC = {MESH: b"tvxfrag1", SKELETON: b"tvxskel1"}
HEAD = struct.Struct("<8sIIQQQQ")  # magic, crc32 of what follows and of the table, bits, labels, vertices, links, bytes
FIRST_READ = 32 * 1024  # bytes, which hold the buckets of 60,000 labels
MOST_BITS = 14
FULL = 64  # labels of a bucket, about, as long as there are fewer than 2^MOST_BITS buckets
LEVEL = 3  # of zstd: higher ones take twice the time for a twentieth of the bytes


def row_type(sort: Sort) -> list[tuple[Any, ...]]:  # Any: fields with and without a shape
    """What is said of a label."""
    return [
        ("label", "<u8"),
        ("offset", "<u8"),  # of its object, from the first byte of all
        ("size", "<u4"),  # of its object, packed, in bytes
        ("vertices", "<u4"),
        (sort.links, "<u4"),
        ("low", "<i4", (3,)),  # the least and the greatest coordinates of its vertices, in the whole volume
        ("high", "<i4", (3,)),
    ]


def bucket_type(sort: Sort) -> list[tuple[str, str]]:
    """What is said of the labels of a part."""
    return [
        ("labels", "<u4"),
        ("check", "<u4"),  # crc32 of their rows
        ("bytes", "<u8"),  # of their objects, packed
        ("vertices", "<u8"),
        (sort.links, "<u8"),
    ]


class Form(Protocol[T]):
    """How a mesh or a skeleton becomes bytes, before these are compressed."""

    @property
    def sort(self) -> Sort:
        """Which of the two it is."""

    def pack(self, one: T) -> bytes | memoryview:
        """Bytes that compress well, the same for the same object."""

    def most_bytes(self, vertices: int, links: int) -> int:
        """More than an object of so many vertices and links can have."""

    def unpack(self, plain: bytes, vertices: int, links: int) -> T:
        """The object again; ValueError if it cannot be one."""


class FragmentFile(msgspec.Struct, frozen=True):
    """What the head of such an object says."""

    store: Store
    key: str
    sort: Sort
    bits: int
    labels: int
    vertices: int
    links: int
    size: int  # of all objects, packed, in bytes
    table: bytes

    @classmethod
    def open(cls, store: Store, key: str, sort: Sort) -> FragmentFile:
        """Read the head; BadInput if there is none, or if it is damaged."""
        front = store.get_range(key, 0, FIRST_READ)
        if front is None:
            raise BadInput(f"{store.url}/{key} is missing: {_remedy(sort)}")
        if len(front) < HEAD.size:
            raise broken(store, key, sort, "it ends within its head")
        magic, check, bits, labels, vertices, links, size = HEAD.unpack_from(front)
        if magic != MAGIC[sort] or bits > MOST_BITS:
            raise broken(store, key, sort, "it does not begin as it should")
        end = HEAD.size + (BUCKET_BYTES << bits)
        if end > len(front):
            front += store.get_range(key, len(front), end) or b""
        if len(front) < end:
            raise broken(store, key, sort, "it ends within its table")
        if zlib.crc32(front[12:end]) != check:
            raise broken(store, key, sort, "the checksum of its head is another one")
        return cls(store, key, sort, bits, labels, vertices, links, size, bytes(front[HEAD.size : end]))

    @property
    def buckets(self) -> Buckets:
        """What each of the 2^bits buckets holds, in the order of their parts."""
        import numpy as np

        return np.frombuffer(self.table, bucket_type(self.sort))

    def sums(self, bits: int) -> dict[str, NDArray[np.uint64]]:
        """How many labels, bytes, vertices and links each of 2^bits parts has; at most as many parts as buckets."""
        import numpy as np

        if bits > self.bits:
            raise ValueError(f"{self.key} has 2^{self.bits} buckets, which cannot be said of 2^{bits} parts")
        buckets = self.buckets
        counted = ("labels", "bytes", "vertices", self.sort.links)
        return {name: buckets[name].astype(np.uint64).reshape(1 << bits, -1).sum(axis=1) for name in counted}

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
            return np.empty(0, row_type(self.sort))
        base = HEAD.size + len(self.table)
        data = self._get(base + start * ROW_BYTES, base + stop * ROW_BYTES, "rows")
        self._check_rows(data, low, high)
        rows = np.frombuffer(data, row_type(self.sort))
        if finer > 0:
            parts = part_of(rows["label"], bits)
            rows = rows[(parts >= first) & (parts <= last)]
        return rows

    def read(self, rows: Rows, form: Form[T]) -> Iterator[tuple[int, T]]:
        """The label and the object of each row, in coordinates of the whole volume.

        Rows that follow each other in the object are fetched in one request, all at once: ask for as many as fit in memory.
        """
        import numpy as np

        base = HEAD.size + len(self.table) + self.labels * ROW_BYTES
        stops = rows["offset"] + rows["size"]
        gaps = np.flatnonzero(rows["offset"][1:] != stops[:-1]) + 1
        for run in np.split(rows, gaps) if len(rows) else []:
            start = int(run["offset"][0])
            data = memoryview(self._get(base + start, base + int(run["offset"][-1]) + int(run["size"][-1]), "objects"))
            for row in run:
                at = int(row["offset"]) - start
                yield int(row["label"]), self._unpack(row, data[at : at + int(row["size"])], form)

    def _unpack(self, row: np.void, packed: memoryview, form: Form[T]) -> T:
        import zstandard

        vertices, links = int(row["vertices"]), int(row[self.sort.links])
        most = form.most_bytes(vertices, links)
        try:
            if (size := zstandard.frame_content_size(packed)) > most:  # memory is taken for what a frame says
                raise broken(
                    self.store, self.key, self.sort, f"label {row['label']}: it tells of {size:,} bytes, too many"
                )
            plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=most)
            return form.unpack(plain, vertices, links)
        except (zstandard.ZstdError, ValueError) as error:
            raise broken(self.store, self.key, self.sort, f"label {row['label']}: {error}") from None

    def _check_rows(self, data: bytes, low: int, high: int) -> None:
        at = 0
        for labels, check in self.buckets[["labels", "check"]][low : high + 1].tolist():
            end = at + labels * ROW_BYTES
            if zlib.crc32(data[at:end]) != check:
                raise broken(self.store, self.key, self.sort, "the checksum of its rows is another one")
            at = end

    def _get(self, start: int, stop: int, what: str) -> bytes:
        data = self.store.get_range(self.key, start, stop)
        if data is None or len(data) != stop - start:
            raise broken(self.store, self.key, self.sort, f"it ends within its {what}")
        return data


class Packed(NamedTuple):
    """An object as it is stored, and what its row says."""

    label: int
    data: bytes
    vertices: int
    links: int
    low: tuple[int, int, int]
    high: tuple[int, int, int]


def pack_fragment(label: int, one: T, form: Form[T]) -> Packed:
    """An object of a label, in coordinates of the whole volume, as it is stored."""
    import zstandard

    vertices, links = one[:2]
    low, high = vertices.min(axis=0).tolist(), vertices.max(axis=0).tolist()
    packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    return Packed(label, packer.compress(form.pack(one)), len(vertices), len(links), tuple(low), tuple(high))


def join_fragments(fragments: Sequence[Packed], sort: Sort) -> bytes:
    """The object that holds these fragments; labels come in any order, each of them once."""
    import numpy as np

    labels = np.array([fragment.label for fragment in fragments], np.uint64)
    order = np.lexsort((labels, keys_of(labels)))
    rows = np.zeros(len(fragments), row_type(sort))
    rows["label"] = labels[order]
    ordered = [fragments[at] for at in order.tolist()]
    for name, said in (("vertices", "vertices"), (sort.links, "links"), ("low", "low"), ("high", "high")):
        if ordered:
            rows[name] = [getattr(fragment, said) for fragment in ordered]
    rows["size"] = [len(fragment.data) for fragment in ordered]
    rows["offset"][1:] = np.cumsum(rows["size"], dtype=np.uint64)[:-1]
    bits = min(MOST_BITS, (len(rows) // FULL).bit_length())
    head, table = _head(rows, bits, sort), _table(rows, bits, sort).tobytes()
    check = zlib.crc32(table, zlib.crc32(head[12:])).to_bytes(4, "little")
    return b"".join([head[:8], check, head[12:], table, rows.tobytes(), *(fragment.data for fragment in ordered)])


def encode_fragments(objects: Iterable[tuple[int, T]], form: Form[T]) -> bytes:
    """The object that holds labels and their meshes or skeletons, in coordinates of the whole volume, none of them empty."""
    return join_fragments([pack_fragment(label, one, form) for label, one in objects], form.sort)


def _head(rows: Rows, bits: int, sort: Sort) -> bytes:
    sums = (int(rows[name].sum(dtype="u8")) for name in ("vertices", sort.links, "size"))
    return HEAD.pack(MAGIC[sort], 0, bits, len(rows), *sums)


def _table(rows: Rows, bits: int, sort: Sort) -> Buckets:
    import numpy as np

    table = np.zeros(1 << bits, bucket_type(sort))
    ends = np.searchsorted(part_of(rows["label"], bits), np.arange(1, (1 << bits) + 1, dtype=np.uint64))
    start = 0
    for bucket, end in zip(table, ends.tolist(), strict=True):
        if end > start:
            some = rows[start:end]
            bucket["labels"], bucket["check"] = end - start, zlib.crc32(some.tobytes())
            for name, column in (("bytes", "size"), ("vertices", "vertices"), (sort.links, sort.links)):
                bucket[name] = some[column].sum(dtype="u8")
        start = end
    return table


def broken(store: Store, key: str, sort: Sort, why: str) -> BadInput:
    """What to raise of an object that cannot be read."""
    again = f"run teravox {sort.one} forge again"
    return BadInput(f"{store.url}/{key} cannot be read: {why}. It was damaged or cut off; {again}")


def _remedy(sort: Sort) -> str:
    return f"run teravox {sort.one} forge again, with --resume to do only what is missing"
