"""Turns what kinds declare of a piece into bytes and requests."""

from __future__ import annotations

import math
from collections.abc import Sequence

from teravox.pipeline.layers.chunk_grid import align_outward, chunk_key, chunks_of
from teravox.pipeline.planning.figures import Amount, Written
from teravox.pipeline.planning.ratios import Ratios
from teravox.pipeline.planning.stored_sizes import StoredSizes
from teravox.pipeline.planning.traffic import Bytes, Chunks, Objects, Part, Share, Traffic, Unsaid

REQUEST = 16 * 1024 * 1024  # bytes of a shard that one request fetches


class Counter:
    """Counts piece after piece of one job, and notes what sets it apart and what it will leave."""

    def __init__(self, sizes: StoredSizes, ratios: Ratios) -> None:
        self._sizes = sizes
        self._ratios = ratios
        self.fetched: dict[tuple[str, int], int] = {}  # voxels of chunks, each time that they are, by layer and mip
        self.chunks_read = 0
        self.missing = 0
        self.types: set[str] = set()  # of the layers that it reads
        self.types_made: set[str] = set()
        self.copied = False  # something is written as it was read
        self.unsized = 0  # objects whose size only earlier runs can say
        self.folders: set[tuple[str, str]] = set()  # of these
        self.written: dict[tuple[str, str], Written] = {}

    @property
    def sorts(self) -> Sequence[str]:
        """What sets a job apart from others of its kind that take another time, the most telling first."""
        return [*(["copied"] if self.copied else []), *sorted(self.types or self.types_made)]

    def count_chunks(self, traffic: Traffic) -> None:
        """Count the chunks that a piece reads, and nothing else."""
        self.chunks_read += sum(_number(part) for part in traffic.reads if isinstance(part, Chunks))

    def reads(self, traffic: Traffic) -> Amount:
        """What a piece reads."""
        total = Amount()
        for part in traffic.reads:
            total += self._read(part)
        return total

    def writes(self, traffic: Traffic) -> Amount:
        """What a piece writes; without the bytes of objects that only earlier runs can say, which are counted."""
        total = Amount()
        for part in traffic.writes:
            total += self._write(part, traffic)
        return total

    def _read(self, part: Part) -> Amount:
        match part:
            case Chunks():
                return self._read_chunks(part)
            case Objects():
                return self._read_objects(part)
            case Bytes():
                return Amount(part.size, part.requests, exact=False)
            case Share():
                return self._read_share(part)
            case Unsaid():
                return Amount(None, None, exact=False, why=part.why)

    def _read_chunks(self, part: Chunks) -> Amount:
        scale = part.layer.scale(part.mip)
        place = (part.layer.url, part.mip)
        fetched = align_outward(scale, part.box).intersect(scale.bounds).voxels
        self.fetched[place] = self.fetched.get(place, 0) + fetched
        self.types.add(part.layer.info.type)
        self.chunks_read += _number(part)
        amount, missing = self._look(part)
        self.missing += missing
        return amount

    def _look(self, part: Chunks) -> tuple[Amount, int]:
        """What the chunks of a box take, and how many are known to be missing."""
        scale = part.layer.scale(part.mip)
        number = _number(part)
        prefix = f"{scale.key}/"
        listing = self._sizes.listing(part.layer.store, prefix)
        if listing.sizes and listing.is_whole and scale.sharding is None:
            found = [listing.sizes.get(chunk_key(scale, chunk)) for chunk in chunks_of(scale, part.box)]
            return Amount(sum(size or 0 for size in found), number), found.count(None)
        each = self._stored_voxel(part)
        if each is None and listing.is_told:
            return Amount(0, number), number
        if each is None:
            return Amount(None, number, exact=False, why=f"{part.layer.url} lists nothing"), 0
        size = align_outward(scale, part.box).intersect(scale.bounds).voxels * each
        if scale.sharding is None:
            return Amount(size, number, exact=False), 0
        shards = len(part.layer.keys(part.box, part.mip))
        return Amount(size, shards * (2 + math.ceil(size / shards / REQUEST)), exact=False), 0

    def _stored_voxel(self, part: Chunks) -> float | None:
        """The bytes that a voxel takes as it is stored; None where nothing is there, and nothing is expected."""
        scale = part.layer.scale(part.mip)
        prefix = f"{scale.key}/"
        listing = self._sizes.listing(part.layer.store, prefix)
        if not listing.sizes:
            return self._sizes.expected(part.layer.url, prefix)
        total = sum(listing.sizes.values())
        if listing.is_whole:
            return total / scale.bounds.voxels
        return total / len(listing.sizes) / math.prod(scale.chunk)

    def _read_objects(self, part: Objects) -> Amount:
        from teravox.pipeline.storage.open import open_store

        total = Amount()
        store = open_store(part.url)
        for key in part.keys:
            folder = f"{key.rpartition('/')[0]}/" if "/" in key else ""
            if not folder:
                total += Amount(self._sizes.of(part.url, key) or 0, 1)
                continue
            size = self._sizes.listing(store, folder).sizes.get(key)
            expected = self._sizes.expected(part.url, folder)
            if size is not None:
                total += Amount(size, 1)
            elif expected is not None:
                total += Amount(expected, 1, exact=False)
            else:
                total += Amount(
                    None, 1, exact=False, why="what earlier stages leave for it is known when they are done"
                )
        return total

    def _read_share(self, part: Share) -> Amount:
        from teravox.pipeline.storage.open import open_store

        listing = self._sizes.listing(open_store(part.url), part.prefix)
        if not listing.is_told:
            return Amount(None, None, exact=False, why=f"{part.url} lists nothing")
        sizes = listing.sizes.values()
        if not sizes:
            return Amount(None, None, exact=False, why="what earlier stages leave for it is known when they are done")
        return Amount(sum(min(size, part.head) + part.part * size for size in sizes), 3 * len(sizes), exact=False)

    def _write(self, part: Part, traffic: Traffic) -> Amount:
        match part:
            case Chunks(copied=True):
                amount = self._copy_chunks(part, traffic)
            case Chunks():
                amount = self._write_chunks(part, traffic)
            case Objects():
                self.unsized += len(part.keys)
                self.folders |= {(part.url, f"{key.rpartition('/')[0]}/") for key in part.keys if "/" in key}
                return Amount(0, len(part.keys))
            case Unsaid():
                return Amount(None, None, exact=False, why=part.why)
            case Bytes():
                return Amount(part.size, part.requests, exact=False)
            case Share():
                raise TypeError("a share of a prefix can only be read")
        self._note(part, amount)
        return amount

    def _copy_chunks(self, part: Chunks, traffic: Traffic) -> Amount:
        """What is read goes on as it is, without what is missing."""
        self.copied = True
        total, number = Amount(), _number(part)
        for read in traffic.reads:
            if isinstance(read, Chunks):
                amount, missing = self._look(read)
                total += amount
                number -= missing
        return Amount(total.bytes, number, total.exact, total.why)

    def _write_chunks(self, part: Chunks, traffic: Traffic) -> Amount:
        scale, info = part.layer.scale(part.mip), part.layer.info
        voxel = info.itemsize * info.num_channels
        packed = part.compress is not None or bool(scale.sharding and scale.sharding.get("data_encoding") == "gzip")
        if not packed and scale.encoding == "raw" and scale.sharding is None:
            return Amount(part.box.voxels * voxel, _number(part))
        number = _number(part) if scale.sharding is None else len(part.layer.keys(part.box, part.mip))
        like = next((self._like(read, part) for read in traffic.reads if _is_like(read, part)), None)
        each = like or self._ratios.bytes_of_voxel(scale.encoding, info, packed=packed)
        if each is None:
            why = f"nobody has measured how well {scale.encoding} packs these voxels; see --rates, or add --sample"
            return Amount(None, number, exact=False, why=why)
        return Amount(part.box.voxels * each, number, exact=False)

    def _like(self, read: Part, written: Chunks) -> float | None:
        """What a voxel takes if it is stored as those that are read. Labels take space by their surfaces."""
        assert isinstance(read, Chunks)  # _is_like has looked
        each = self._stored_voxel(read)
        if each is None or written.layer.info.type != "segmentation":
            return each
        shrinks = read.layer.bounds(read.mip).voxels / written.layer.bounds(written.mip).voxels
        return each * math.cbrt(max(1.0, shrinks))

    def _note(self, part: Chunks, amount: Amount) -> None:
        if amount.bytes is None:
            return
        place = (part.layer.url, f"{part.layer.scale(part.mip).key}/")
        before = self.written.get(place, Written(0, 0))
        self.types_made.add(part.layer.info.type)
        self.written[place] = Written(before.bytes + amount.bytes, before.measure + part.box.voxels)


def _is_like(read: Part, written: Chunks) -> bool:
    """Whether what is read is stored as that which is written is to be."""
    if not isinstance(read, Chunks):
        return False
    source, scale = read.layer.scale(read.mip), written.layer.scale(written.mip)
    if source.encoding != scale.encoding or read.layer.info.data_type != written.layer.info.data_type:
        return False
    return scale.encoding != "raw"  # whether raw chunks are compressed, a listing of a bucket does not say


def _number(part: Chunks) -> int:
    """How many chunks hold a box."""
    scale = part.layer.scale(part.mip)
    return math.prod(n // c for n, c in zip(align_outward(scale, part.box).size, scale.chunk, strict=True))
