"""Reads the chunks of a mip, from files of their own or from shards, and decodes them side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.chunk_grid import chunk_key
from teravox.pipeline.layers.chunk_numbers import chunk_numbers
from teravox.pipeline.layers.codec import decode
from teravox.pipeline.layers.sharding.read import ShardReader
from teravox.pipeline.storage.side_by_side import do_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

    Array = NDArray[Any]  # of the layer's data type

Fetch = Callable[[], bytes | None]  # does the rest of the work, in the thread that wants the chunk


class ChunkSource:
    """The chunks of one mip. Of a missing one it raises BadInput, or with `fill_missing` gives None."""

    def __init__(self, layer: Layer, mip: int, *, fill_missing: bool) -> None:
        self._layer = layer
        self._scale = layer.scale(mip)
        self._mip = mip
        self._fill_missing = fill_missing

    def for_each(self, chunks: Iterable[Box], use: Callable[[Box, Array | None], object]) -> None:
        """Decode chunks and hand them over, side by side and in any order."""
        layer = self._layer

        def work(one: tuple[Box, Fetch]) -> None:
            chunk, fetch = one
            data = fetch()
            use(chunk, None if data is None else self._decode(chunk, data))

        do_all(work, self._fetches(chunks), layer.lanes)

    def for_each_encoded(self, chunks: Iterable[Box], use: Callable[[Box, bytes | None], object]) -> None:
        """Hand over chunks as they are encoded, side by side and in any order."""
        do_all(lambda one: use(one[0], one[1]()), self._fetches(chunks), self._layer.lanes)

    def _fetches(self, chunks: Iterable[Box]) -> Iterator[tuple[Box, Fetch]]:
        if self._scale.sharding is None:
            for chunk in chunks:
                yield chunk, lambda chunk=chunk: self._get(chunk)  # type: ignore[misc]  # the default binds this turn's chunk
            return
        chunks = list(chunks)
        numbers = chunk_numbers(self._scale, self._layer.place(self._mip))
        by_number = dict(zip(numbers.of(chunks), chunks, strict=True))
        reader = ShardReader(self._layer.store, self._scale.key, numbers.spec, self._layer.lanes)
        for found, packed in reader.read(by_number):
            yield (
                by_number.pop(found.number),
                lambda found=found, packed=packed: reader.unpack(found, packed),  # type: ignore[misc]  # as above
            )
        for number, chunk in by_number.items():
            shard = numbers.shards_of([chunk])[0]
            yield chunk, lambda number=number, shard=shard: self._missing(f"{number} in {reader.key(shard)}")  # type: ignore[misc]  # as above

    def _get(self, chunk: Box) -> bytes | None:
        key = chunk_key(self._scale, chunk)
        data = self._layer.store.get(key)
        if data is None:
            self._missing(key)
        return data

    def _missing(self, name: str) -> None:
        if not self._fill_missing:
            raise BadInput(
                f"chunk {name} of layer {self._layer.url} is missing; pass --fill-missing to read it as background, "
                "or run again what should have written it"
            )

    def _decode(self, chunk: Box, data: bytes) -> Array:
        layer = self._layer
        try:
            return decode(data, self._scale, (*chunk.size, layer.info.num_channels), layer.dtype)
        except ValueError as error:
            raise BadInput(
                f"chunk {chunk_key(self._scale, chunk)} of layer {layer.url} cannot be read: {error}. "
                "Write it again, or remove it and pass --fill-missing"
            ) from None
