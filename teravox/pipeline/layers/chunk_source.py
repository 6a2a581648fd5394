"""Reads the chunks of a mip, from files of their own or from shards, and decodes them side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.last_words import saying
from teravox.pipeline.layers.chunk_grid import chunk_key, chunks_of
from teravox.pipeline.layers.chunk_numbers import chunk_numbers
from teravox.pipeline.layers.codec import decode, decode_modes, most_bytes
from teravox.pipeline.layers.cut_off import check_whole
from teravox.pipeline.layers.encodings import BLOCK, MAY_CRASH
from teravox.pipeline.layers.sharding.read import ShardReader
from teravox.pipeline.storage.compression import unpack
from teravox.pipeline.storage.side_by_side import do_all
from teravox.pipeline.store import Compression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

    Array = NDArray[Any]  # of the layer's data type


REMEDY = "Write it again, or remove it and pass --fill-missing"


class Stored(NamedTuple):
    """A chunk as it is encoded, and as it lies in its file or its shard."""

    encoded: bytes | bytearray
    packed: bytes
    how: Compression | None


Fetch = Callable[[], Stored | None]  # does the rest of the work, in the thread that wants the chunk


class ChunkSource:
    """The chunks of one mip. Of a missing one it raises BadInput, or with `fill_missing` gives None."""

    def __init__(self, layer: Layer, mip: int, *, fill_missing: bool) -> None:
        self._layer = layer
        self._scale = layer.scale(mip)
        self._mip = mip
        self._fill_missing = fill_missing
        self._most = most_bytes(self._scale.encoding, (*self._scale.chunk, layer.info.num_channels), layer.dtype)
        self._may_crash = self._scale.encoding in MAY_CRASH

    def for_each(self, chunks: Iterable[Box], use: Callable[[Box, Array | None], object]) -> None:
        """Decode chunks and hand them over, side by side and in any order."""
        layer = self._layer

        def work(one: tuple[Box, Fetch]) -> None:
            chunk, fetch = one
            stored = fetch()
            use(chunk, None if stored is None else self.decode(chunk, stored.encoded))

        do_all(work, self._fetches(chunks), layer.lanes)

    def for_each_stored(self, chunks: Iterable[Box], use: Callable[[Box, Stored | None], object]) -> None:
        """Hand over chunks as they are stored and as they are encoded, side by side and in any order."""
        do_all(lambda one: use(one[0], one[1]()), self._fetches(chunks), self._layer.lanes)

    def _fetches(self, chunks: Iterable[Box]) -> Iterator[tuple[Box, Fetch]]:
        if self._scale.sharding is None:
            for chunk in chunks:
                yield chunk, lambda chunk=chunk: self._get(chunk)  # type: ignore[misc]  # the default binds this turn's chunk
            return
        chunks = list(chunks)
        numbers = chunk_numbers(self._scale, self._layer.place(self._mip))
        by_number = dict(zip(numbers.of(chunks), chunks, strict=True))
        reader = ShardReader(self._layer.store, self._scale.key, numbers.spec, self._layer.lanes, self._most)
        how: Compression | None = "gzip" if numbers.spec.data_encoding == "gzip" else None
        for found, packed in reader.read(by_number):
            yield (
                by_number.pop(found.number),
                lambda found=found, packed=packed: Stored(reader.unpack(found, packed), packed, how),  # type: ignore[misc]  # as above
            )
        for number, chunk in by_number.items():
            shard = numbers.shards_of([chunk])[0]
            yield chunk, lambda number=number, shard=shard: self._missing(f"{number} in {reader.key(shard)}")  # type: ignore[misc]  # as above

    def _get(self, chunk: Box) -> Stored | None:
        key = chunk_key(self._scale, chunk)
        most = self._most
        found = self._layer.store.get_stored(key, most=most)
        if found is None:
            self._missing(key)
            return None
        try:
            return Stored(unpack(*found, most), *found)
        except ValueError as error:
            raise self._broken(chunk, error) from None

    def _missing(self, name: str) -> None:
        if not self._fill_missing:
            raise BadInput(
                f"chunk {name} of layer {self._layer.url} is missing; pass --fill-missing to read it as background, "
                "or run again what should have written it"
            )

    def fill(self, box: Box, voxels: Array) -> None:
        """Put a box into its array; the chunks that lie in it whole are decoded to where they belong."""
        from teravox.pipeline.layers.layer import within

        def take(chunk: Box, stored: Stored | None) -> None:
            shared = chunk.intersect(box)
            place = voxels[within(shared, box)]
            if stored is None:
                place[...] = 0
            elif shared == chunk:
                self.decode(chunk, stored.encoded, place)
            else:
                place[...] = self.decode(chunk, stored.encoded)[within(shared, chunk)]

        self.for_each_stored(chunks_of(self._scale, box), take)

    def decode(self, chunk: Box, data: bytes | bytearray, out: Array | None = None) -> Array:
        """The voxels of a chunk, put into `out` if it is given; BadInput names the chunk that cannot be decoded."""
        with self._last_words(chunk):
            return self._decode(chunk, data, out)

    def use_decoded(self, chunk: Box, data: bytes | bytearray, use: Callable[[Array], object]) -> None:
        """Decode a chunk and hand it over; what its decoding has damaged may end the process while it is used, too."""
        with self._last_words(chunk):
            use(self._decode(chunk, data))

    def _decode(self, chunk: Box, data: bytes | bytearray, out: Array | None = None) -> Array:
        try:
            return decode(data, self._scale, (*chunk.size, self._layer.info.num_channels), self._layer.dtype, out)
        except ValueError as error:
            raise self._broken(chunk, error) from None

    def _last_words(self, chunk: Box) -> AbstractContextManager[None]:
        if not self._may_crash:
            return nullcontext()
        return saying(f"decoding {self._name(chunk)}, which is probably damaged. {REMEDY}")

    def decode_modes(self, chunk: Box, data: bytes | bytearray, out: Array) -> bool:
        """Put the most frequent label of each cell of 2 x 2 x 1 voxels of a chunk into `out`, if that needs no decoding; whether it was done."""
        try:
            return decode_modes(data, self._scale, (*chunk.size, self._layer.info.num_channels), self._layer.dtype, out)
        except ValueError as error:
            raise self._broken(chunk, error) from None

    def check_whole(self, chunk: Box, data: bytes | bytearray) -> None:
        """Raise BadInput if a chunk was cut off, as far as one can tell without decoding it."""
        layer, scale = self._layer, self._scale
        block = scale.compressed_segmentation_block_size or BLOCK
        try:
            check_whole(scale.encoding, data, (*chunk.size, layer.info.num_channels), layer.dtype, block)
        except ValueError as error:
            raise self._broken(chunk, error) from None

    def _name(self, chunk: Box) -> str:
        return f"chunk {chunk_key(self._scale, chunk)} of layer {self._layer.url}"

    def _broken(self, chunk: Box, error: ValueError) -> BadInput:
        return BadInput(f"{self._name(chunk)} cannot be read: {error}. {REMEDY}")
