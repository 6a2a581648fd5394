"""What lies in the folders of the mips: bytes, objects, and which chunks are there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.chunk_numbers import chunk_numbers
from teravox.pipeline.layers.sharding.read import ShardReader
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.chunk_names import ChunkGrid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.layers.chunk_numbers import ChunkNumbers
    from teravox.pipeline.layers.layer import Layer

ENDING = ".shard"
PLANES = ("xy", "xz", "yz")


class MipStored(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the folder of a mip."""

    mip: int
    objects: int
    bytes: int
    raw_bytes: int
    expected: int  # chunks of the whole mip
    there: int | None  # of them; None where it was not looked up chunk by chunk
    strange: int  # objects that are no chunks or shards of this mip
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Stored bytes for each raw one, of the chunks that are there."""
        if not self.there:
            return None
        return self.bytes / (self.raw_bytes * self.there / self.expected)


Shares = dict[str, Any]  # by plane: an array of the share of chunks that is there, in each column of chunks


def survey_mip(layer: Layer, mip: int, most_shards: int) -> tuple[MipStored, Shares]:
    """List a mip's objects, and note which chunks are there; about a byte of memory a chunk.

    Of more than `most_shards` shards the indices are not read: a shard that is there counts as whole.
    """
    scale = layer.scale(mip)
    grid = ChunkGrid(scale, scale.chunk)
    voxel_bytes = layer.info.itemsize * layer.info.num_channels
    said: dict[str, Any] = {
        "mip": mip,
        "raw_bytes": scale.bounds.voxels * voxel_bytes,
        "expected": len(grid),
    }
    if scale.sharding is None:
        objects, size, strange = _survey_chunks(layer, grid)
        there: int | None = grid.seen.count(1)
        notes: tuple[str, ...] = ()
    else:
        objects, size, strange, notes = _survey_shards(layer, mip, grid, most_shards)
        there = grid.seen.count(1) if not notes else None
    stored = MipStored(objects=objects, bytes=size, there=there, strange=strange, notes=notes, **said)
    return stored, _shares(grid)


def _survey_chunks(layer: Layer, grid: ChunkGrid) -> tuple[int, int, int]:
    objects = size = strange = 0
    prefix = f"{grid.scale.key}/"
    for key, length, _ in layer.store.list_sizes(prefix):
        number = grid.find(key.removeprefix(prefix))
        if number is None:
            strange += 1
            continue
        grid.seen[number] = 1
        objects += 1
        size += length
    return objects, size, strange


def _survey_shards(layer: Layer, mip: int, grid: ChunkGrid, most: int) -> tuple[int, int, int, tuple[str, ...]]:
    import numpy as np

    numbers = chunk_numbers(grid.scale, layer.place(mip))
    seen = np.frombuffer(grid.seen, np.uint8).reshape(grid.grid.cells[::-1])
    shards: list[int] = []
    objects = size = strange = 0
    prefix = f"{grid.scale.key}/"
    for key, length, _ in layer.store.list_sizes(prefix):
        shard = _shard_named(key.removeprefix(prefix), numbers)
        if shard is None:
            strange += 1
            continue
        shards.append(shard)
        objects += 1
        size += length
    if len(shards) > most:
        return objects, size, strange, (_mark_shards(numbers, sorted(shards), seen, layer.place(mip)),)
    notes = []
    reader = ShardReader(layer.store, grid.scale.key, numbers.spec, layer.lanes)

    def read(shard: int) -> tuple[list[int], str | None]:
        try:
            return [found.number for found in reader.all_in(shard)], None
        except BadInput as error:
            return [], str(error)

    for found, trouble in side_by_side(read, shards, layer.lanes):
        x, y, z = numbers.morton.cells_of(np.array(found, np.uint64)).T
        inside = (x < seen.shape[2]) & (y < seen.shape[1]) & (z < seen.shape[0])
        seen[z[inside], y[inside], x[inside]] = 1
        notes += [] if trouble is None else [trouble]
    return objects, size, strange, tuple(islice(notes, 5))


def _shard_named(name: str, numbers: ChunkNumbers) -> int | None:
    try:
        shard = int(name.removesuffix(ENDING), 16)
    except ValueError:
        return None
    is_one = 0 <= shard < numbers.spec.shards and numbers.spec.file_name(shard) == name
    return shard if is_one else None


def _mark_shards(numbers: ChunkNumbers, shards: list[int], seen: NDArray[np.uint8], place: str) -> str:
    """Mark the chunks of whole shards, where shards are boxes; what was done, as a sentence."""
    import numpy as np

    from teravox.pipeline.layers.chunk_numbers import unit_of

    try:
        unit = unit_of(numbers.scale, place)
    except BadInput as error:
        return f"Which chunks are in the {len(shards):,} shards was not looked up: {error}."
    brick = [n // c for n, c in zip(unit, numbers.scale.chunk, strict=True)]
    bits = numbers.spec.preshift_bits + numbers.spec.minishard_bits
    firsts = numbers.morton.cells_of(np.array(shards, np.uint64) << np.uint64(min(bits, 63)))
    for x, y, z in firsts.tolist():
        seen[z : z + brick[2], y : y + brick[1], x : x + brick[0]] = 1
    return f"There are {len(shards):,} shards, so each counts as whole; more --samples read what is in them."


def _shares(grid: ChunkGrid) -> Shares:
    """The share of chunks that is there, seen along each axis: rows are the later axis, columns the earlier one."""
    import numpy as np

    seen = np.frombuffer(grid.seen, np.uint8).reshape(grid.grid.cells[::-1])
    return {plane: seen.mean(axis=axis) for axis, plane in enumerate(PLANES)}


def say_stored(stored: MipStored) -> Iterator[str]:
    """What a reader should know of the figures of a mip."""
    yield from stored.notes
    if stored.strange:
        yield f"{stored.strange:,} objects in the folder of mip {stored.mip} are no chunks of it."
