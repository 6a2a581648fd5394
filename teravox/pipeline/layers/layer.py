"""A layer: opened once in a process, read and written box by box."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, Fatal, Transient
from teravox.pipeline.layers.chunk_grid import chunk_key, chunks_of
from teravox.pipeline.layers.chunk_numbers import chunk_numbers, unit_of
from teravox.pipeline.layers.info import Json, Scale, encode_info, parse_info
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.side_by_side import LANES, LOCAL_LANES
from teravox.pipeline.storage.urls import is_local, normalize
from teravox.pipeline.store import Compression, Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.layers.box_writer import BoxWriter

    Array = NDArray[Any]  # of the layer's data type

LASTS = 30.0  # seconds for which the info of a layer in a bucket is taken as still true
CHANGES = 20  # times that a change of an info may be lost to others
SETTLE = 20  # how often the time of a write is waited until it is looked at again
SHORTEST_SETTLE, LONGEST_SETTLE = 0.02, 2.0  # seconds of that
NAMING = ("mesh", "segment_properties", "skeletons")  # words that come last, in this order, whichever job was first


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

    def change_info(self, change: Callable[[Json], Json]) -> Layer:
        """Change the info as it is now, and return the layer that it describes.

        Jobs of a layer may end at the same moment, and each changes its own words: it looks again when the others have
        written, and repeats what was lost. So `change` may be called several times, and must be safe to repeat.
        """
        for _ in range(CHANGES):
            layer = Layer.open(self.url, fresh=True)
            raw = change(layer.raw)
            if raw == layer.raw:
                return layer
            began = time.monotonic()
            self.write_info(dict(sorted(raw.items(), key=_place_of_word)))
            lasted = time.monotonic() - began
            time.sleep(random.uniform(1, 1.5) * min(LONGEST_SETTLE, max(SHORTEST_SETTLE, SETTLE * lasted)))  # noqa: S311 - spreads writers, guards nothing
        raise Transient(f"{self.url}/info is changed by others all the time")

    def place(self, mip: int) -> str:
        """How messages name a mip."""
        return f"mip {mip} of layer {self.url}"

    def unit(self, mip: int) -> Vec:
        """The size of what is written whole: of a chunk, or of a shard where the mip is sharded."""
        return unit_of(self.scale(mip), self.place(mip))

    def keys(self, box: Box, mip: int) -> list[str]:
        """The keys of the chunks, or of the shards, that hold a box."""
        scale = self.scale(mip)
        if scale.sharding is None:
            return [chunk_key(scale, chunk) for chunk in chunks_of(scale, box)]
        numbers = chunk_numbers(scale, self.place(mip))
        shards = set(numbers.shards_of(list(chunks_of(scale, box))))
        return [f"{scale.key}/{numbers.spec.file_name(shard)}" for shard in sorted(shards)]

    def read(self, box: Box, mip: int, *, fill_missing: bool = False) -> Array:
        """The voxels of a box within the bounds: x, y, z and channel, in Fortran order.

        A missing chunk raises BadInput, or with `fill_missing` reads as 0; a chunk that is empty or cut off always raises.
        """
        from teravox.pipeline.layers.chunk_source import ChunkSource
        from teravox.pipeline.layers.fresh_array import make_array

        self.check_inside(box, mip)
        shape = (*box.size, self.info.num_channels)
        voxels = make_array(math.prod(shape), self.dtype).reshape(shape, order="F")
        ChunkSource(self, mip, fill_missing=fill_missing).fill(box, voxels)
        return voxels

    def writer(
        self, box: Box, mip: int, *, compress: Compression | None = "gzip", level: int | None = None
    ) -> BoxWriter:
        """Writes a box of whole units (see `unit`), in as many parts of whole chunks as one likes."""
        from teravox.pipeline.layers.box_writer import BoxWriter

        return BoxWriter(self, box, mip, compress=compress, level=level)

    def write(
        self, box: Box, mip: int, voxels: Array, *, compress: Compression | None = "gzip", level: int | None = None
    ) -> None:
        """Write whole units: the box begins and ends between chunks or shards, or ends at the bounds. It may run twice."""
        with self.writer(box, mip, compress=compress, level=level) as writer:
            writer.write(box, voxels)

    def check_inside(self, box: Box, mip: int) -> None:
        """Raise BadInput if a box is empty or not within the bounds."""
        bounds = self.bounds(mip)
        if box.is_empty or box.intersect(bounds) != box:
            raise BadInput(f"the box {box} does not lie within {self.place(mip)}, which is {bounds}")


class _Opened(msgspec.Struct, frozen=True):
    layer: Layer
    data: bytes
    since: float


_opened: dict[str, _Opened] = {}  # by URL; a dictionary's own operations are atomic between threads


def _place_of_word(item: tuple[str, Any]) -> str:
    return item[0] if item[0] in NAMING else ""


def forget_layers() -> None:
    """Have all layers opened anew: the places of their objects have changed."""
    _opened.clear()


def within(box: Box, outer: Box) -> tuple[slice, slice, slice]:
    """Where a box lies in the array of an outer one."""
    x, y, z = (slice(a - o, b - o) for a, b, o in zip(box.min, box.max, outer.min, strict=True))
    return (x, y, z)
