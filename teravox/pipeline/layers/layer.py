"""A layer: opened once in a process, read and written box by box."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, Fatal
from teravox.pipeline.layers.chunk_grid import chunk_key, chunks_of, is_aligned
from teravox.pipeline.layers.info import Json, Scale, encode_info, parse_info
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.side_by_side import LANES, LOCAL_LANES, do_all
from teravox.pipeline.storage.urls import is_local, normalize
from teravox.pipeline.store import Compression, Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type

LASTS = 30.0  # seconds for which the info of a layer in a bucket is taken as still true


class Layer:
    """A Precomputed layer; its info is that of the moment when it was opened."""

    def __init__(self, store: Store, data: bytes) -> None:
        self.store = store
        self.url = store.url
        self.info, self._raw = parse_info(data, store.url)
        self.lanes = LOCAL_LANES if is_local(store.url) else LANES

    @classmethod
    def open(cls, url: str, *, fresh: bool = False) -> Layer:
        """The layer at a path or URL; that of a layer in a bucket may be some seconds old, unless it is to be `fresh`."""
        url = normalize(url)
        known = _opened.get(url)
        if known is not None and not fresh and not is_local(url) and time.monotonic() - known.since < LASTS:
            return known.layer
        store = known.layer.store if known is not None else open_store(url)
        data = store.get("info")
        if data is None:
            raise Fatal(f"there is no layer at {url}: it has no info file. Check the path, or make one: teravox create")
        layer = known.layer if known is not None and known.data == data else cls(store, data)
        _opened[url] = _Opened(layer, data, time.monotonic())
        return layer

    @property
    def dtype(self) -> np.dtype[Any]:
        import numpy as np

        return np.dtype(self.info.data_type)

    @property
    def raw(self) -> Json:
        """The info as it was written, with whatever others put there; a copy."""
        copy: Json = msgspec.json.decode(msgspec.json.encode(self._raw))
        return copy

    def scale(self, mip: int) -> Scale:
        if not 0 <= mip < len(self.info.scales):
            last = len(self.info.scales) - 1
            there = f"0 to {last}" if last else "only mip 0"
            raise BadInput(
                f"Layer {self.url} has no mip {mip} (it has {there}). "
                f"Build it with: teravox image downsample {self.url} --mip {last}"
            )
        return self.info.scales[mip]

    def bounds(self, mip: int) -> Box:
        return self.scale(mip).bounds

    def write_info(self, raw: Json) -> Layer:
        """Put another info in place, whole, and return the layer that it describes; not for workers."""
        data = encode_info(raw)
        parse_info(data, self.url)  # what could not be read again is not written
        self.store.put("info", data, content_type="application/json")
        _opened.pop(self.url, None)
        return Layer.open(self.url)

    def read(self, box: Box, mip: int, *, fill_missing: bool = False) -> Array:
        """The voxels of a box within the bounds: x, y, z and channel, in Fortran order.

        A missing chunk raises BadInput, or with `fill_missing` reads as 0; a chunk that is empty or cut off always raises.
        """
        from teravox.pipeline.layers.sharded import read_sharded

        scale = self.scale(mip)
        self._check_inside(box, scale, mip)
        if scale.sharding is not None:
            return read_sharded(self.url, box, mip, fill_missing=fill_missing)
        import numpy as np

        voxels = np.empty((*box.size, self.info.num_channels), self.dtype, order="F")

        def fetch(chunk: Box) -> None:
            shared = chunk.intersect(box)
            here = voxels[_within(shared, box)]
            found = self._read_chunk(chunk, scale, fill_missing=fill_missing)
            here[...] = 0 if found is None else found[_within(shared, chunk)]

        do_all(fetch, chunks_of(scale, box), self.lanes)
        return voxels

    def write(self, box: Box, mip: int, voxels: Array, *, compress: Compression | None = "gzip") -> None:
        """Write whole chunks: the box begins and ends between chunks, or ends at the bounds. It may run twice."""
        from teravox.pipeline.layers.codec import CONTENT_TYPES, encode

        scale = self.scale(mip)
        self._check_inside(box, scale, mip)
        if scale.sharding is not None:
            raise BadInput(f"mip {mip} of layer {self.url} is sharded, and chunks cannot be put into shards one by one")
        if not is_aligned(scale, box):
            raise ValueError(f"{box} is not made of whole chunks of mip {mip} of {self.url}")
        if voxels.shape != (*box.size, self.info.num_channels) or voxels.dtype != self.dtype:
            raise ValueError(f"{voxels.dtype} voxels of shape {voxels.shape} do not fill {box} of {self.url}")
        content_type = CONTENT_TYPES.get(scale.encoding, "application/octet-stream")

        def send(chunk: Box) -> None:
            data = encode(voxels[_within(chunk, box)], scale)
            self.store.put(chunk_key(scale, chunk), data, compress=compress, content_type=content_type)

        do_all(send, chunks_of(scale, box), self.lanes)

    def _read_chunk(self, chunk: Box, scale: Scale, *, fill_missing: bool) -> Array | None:
        from teravox.pipeline.layers.codec import decode

        key = chunk_key(scale, chunk)
        data = self.store.get(key)
        if data is None:
            if fill_missing:
                return None
            raise BadInput(
                f"chunk {key} of layer {self.url} is missing; pass --fill-missing to read it as background, "
                "or run again what should have written it"
            )
        try:
            return decode(data, scale, (*chunk.size, self.info.num_channels), self.dtype)
        except ValueError as error:
            raise BadInput(
                f"chunk {key} of layer {self.url} cannot be read: {error}. Write it again, or remove it and pass --fill-missing"
            ) from None

    def _check_inside(self, box: Box, scale: Scale, mip: int) -> None:
        if box.is_empty or box.intersect(scale.bounds) != box:
            raise BadInput(f"the box {box} does not lie within mip {mip} of layer {self.url}, which is {scale.bounds}")


class _Opened(msgspec.Struct, frozen=True):
    layer: Layer
    data: bytes
    since: float


_opened: dict[str, _Opened] = {}  # by URL; a dictionary's own operations are atomic between threads


def _within(box: Box, outer: Box) -> tuple[slice, slice, slice]:
    """Where a box lies in the array of an outer one."""
    x, y, z = (slice(a - o, b - o) for a, b, o in zip(box.min, box.max, outer.min, strict=True))
    return (x, y, z)
