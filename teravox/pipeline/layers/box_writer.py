"""Writes a box of a mip, part by part: chunks to files of their own, or into shards that appear when they are whole."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_grid import chunk_key, chunks_of, is_aligned
from teravox.pipeline.layers.chunk_numbers import ChunkNumbers, chunk_numbers
from teravox.pipeline.layers.codec import encode
from teravox.pipeline.layers.encoding import gzip_level, is_packed_as_labels
from teravox.pipeline.layers.encodings import CONTENT_TYPES
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.sharding.build import build_shard, pack_data
from teravox.pipeline.storage.compression import check_level
from teravox.pipeline.storage.side_by_side import do_all
from teravox.pipeline.store import Compression, Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

    Array = NDArray[Any]  # of the layer's data type


class BoxWriter:
    """Writes one box of whole units, from any number of parts of whole chunks, in any order.

    Use it in a `with` statement: what is not whole at its end raises ValueError, and after an error nothing more is written.
    Doing it all again gives the same bytes.
    """

    def __init__(self, layer: Layer, box: Box, mip: int, *, compress: Compression | None, level: int | None) -> None:
        self._layer = layer
        self._box = box
        self._scale = layer.scale(mip)
        layer.check_inside(box, mip)
        if not is_aligned(self._scale, box, layer.unit(mip)):
            raise ValueError(f"{box} is not made of whole {self._units} of {layer.place(mip)}")
        check_level(compress, level)
        goes_by_labels = level is None and is_packed_as_labels(layer.info, self._scale)
        if level is None and compress in (None, "gzip"):
            level = gzip_level(self._scale.encoding)
        self._chunks: _Chunks
        if self._scale.sharding is None:
            self._chunks = _Files(layer.store, self._scale, compress, level)
        else:
            numbers = chunk_numbers(self._scale, layer.place(mip))
            if compress not in (None, "gzip"):
                raise BadUsage(f"--compress: shards can be packed with gzip or not at all, not with {compress}")
            self._chunks = _Shards(layer.store, numbers, box, level)
            compress = "gzip" if numbers.spec.data_encoding == "gzip" else None
        self._packs_labels = goes_by_labels and compress == "gzip"

    def write(self, box: Box, voxels: Array) -> None:
        """Encode and write the chunks of a part."""
        from teravox.pipeline.layers.layer import within

        layer, scale = self._layer, self._scale
        if box.intersect(self._box) != box or not is_aligned(scale, box):
            raise ValueError(f"{box} is not made of whole chunks within {self._box}")
        if voxels.shape != (*box.size, layer.info.num_channels) or voxels.dtype != layer.dtype:
            raise ValueError(f"{voxels.dtype} voxels of shape {voxels.shape} do not fill {box} of {layer.url}")

        def send(chunk: Box) -> None:
            part = voxels[within(chunk, box)]
            if self._packs_labels:
                from teravox.kernels.deflate.labels import gzip_labels

                self._chunks.put_packed(chunk, gzip_labels(part), "gzip")
            else:
                self._chunks.put(chunk, encode(part, scale))

        do_all(send, chunks_of(scale, box), layer.lanes)

    def write_encoded(self, chunk: Box, data: bytes | bytearray) -> None:
        """Write one chunk that is encoded already as the mip says; threads may do so side by side."""
        self._chunks.put(chunk, data)

    def write_packed(self, chunk: Box, packed: bytes, how: Compression | None) -> None:
        """Write one chunk that is encoded and compressed already; one for a shard must be packed as its mip says."""
        self._chunks.put_packed(chunk, packed, how)

    def leave_out(self, chunk: Box) -> None:
        """Have one chunk missing, whatever was there before; threads may do so side by side."""
        self._chunks.leave_out(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._chunks.close()

    @property
    def _units(self) -> str:
        return "chunks" if self._scale.sharding is None else "shards"


class _Chunks(Protocol):
    """Where chunks go. Threads call it side by side."""

    def put(self, chunk: Box, data: bytes | bytearray) -> None: ...

    def put_packed(self, chunk: Box, packed: bytes, how: Compression | None) -> None: ...

    def leave_out(self, chunk: Box) -> None: ...

    def close(self) -> None: ...


class _Files:
    """A file for each chunk."""

    def __init__(self, store: Store, scale: Scale, compress: Compression | None, level: int | None) -> None:
        self._store = store
        self._scale = scale
        self._compress = compress
        self._level = level
        self._content_type = CONTENT_TYPES.get(scale.encoding, "application/octet-stream")

    def put(self, chunk: Box, data: bytes | bytearray) -> None:
        key = chunk_key(self._scale, chunk)
        self._store.put(key, data, compress=self._compress, level=self._level, content_type=self._content_type)

    def put_packed(self, chunk: Box, packed: bytes, how: Compression | None) -> None:
        self._store.put_stored(chunk_key(self._scale, chunk), packed, how, content_type=self._content_type)

    def leave_out(self, chunk: Box) -> None:
        self._store.delete([chunk_key(self._scale, chunk)])

    def close(self) -> None:
        """Every chunk is in place already."""


class _Shards:
    """Collects packed chunks and puts a shard in place as soon as the last one of it has come."""

    def __init__(self, store: Store, numbers: ChunkNumbers, box: Box, level: int | None) -> None:
        self._store = store
        self._numbers = numbers
        self._level = level
        self._lock = threading.Lock()
        chunks = list(chunks_of(numbers.scale, box))
        codes = numbers.of(chunks)
        self._shard_of = dict(zip(codes, numbers.shards_of(chunks), strict=True))
        self._code_of = {chunk.min: code for chunk, code in zip(chunks, codes, strict=True)}
        self._awaited: dict[int, set[int]] = {}
        for code, shard in self._shard_of.items():
            self._awaited.setdefault(shard, set()).add(code)
        self._packed: dict[int, dict[int, bytes]] = {}

    def put(self, chunk: Box, data: bytes | bytearray) -> None:
        self._take(chunk, pack_data(data, self._numbers.spec, self._level))

    def put_packed(self, chunk: Box, packed: bytes, how: Compression | None) -> None:
        if (how or "raw") != self._numbers.spec.data_encoding:
            raise ValueError(f"shards that hold {self._numbers.spec.data_encoding} chunks cannot take one as {how}")
        self._take(chunk, packed)

    def leave_out(self, chunk: Box) -> None:
        self._take(chunk, None)

    def close(self) -> None:
        if self._awaited:
            missing = sum(map(len, self._awaited.values()))
            raise ValueError(f"{missing:,} chunks were not written, so their shards are not whole")

    def _take(self, chunk: Box, packed: bytes | None) -> None:
        code = self._code_of[chunk.min]
        shard = self._shard_of[code]
        with self._lock:
            self._awaited[shard].remove(code)
            data = self._packed.setdefault(shard, {})
            if packed is not None:
                data[code] = packed
            if self._awaited[shard]:
                return
            del self._awaited[shard], self._packed[shard]
        spec = self._numbers.spec
        key = f"{self._numbers.scale.key}/{spec.file_name(shard)}"
        if data:
            self._store.put(key, build_shard(data, spec))
        else:
            self._store.delete([key])
