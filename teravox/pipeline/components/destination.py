"""DEST: the layer that gets the components of the whole."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from teravox.pipeline.box import Grid, Vec
from teravox.pipeline.components.form import Form
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.encoding import encoding_words, packing_of
from teravox.pipeline.layers.info import Scale, encode_info, parse_info
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale, shard_scale
from teravox.pipeline.store import Store

Json = dict[str, Any]  # JSON may hold anything


class Target(Protocol):
    """What is to be written: box by box of a grid, into a store."""

    @property
    def store(self) -> Store: ...
    @property
    def grid(self) -> Grid: ...
    @property
    def chunk(self) -> Vec: ...
    @property
    def resolution(self) -> tuple[float, float, float]: ...


def data_type_for(labels: int) -> str:
    """The smaller type that can hold so many labels."""
    return "uint32" if labels < 2**32 else "uint64"


def describe(target: Target, form: Form, data_type: str) -> Json:
    """The info of DEST."""
    scale = new_scale(
        bounds=target.grid.bounds,
        resolution=target.resolution,
        chunk=target.chunk,
        encoding=encoding_words(form.encoding),
    )
    if form.sharded:
        scale = _shard(scale, target, form, 4 if data_type == "uint32" else 8)
    return new_info(type="segmentation", data_type=data_type, channels=1, scales=[scale])


def create(target: Target, form: Form, data_type: str) -> Layer:
    """Write the info of DEST, or find that it is there; BadUsage where another layer is."""
    return create_layer(target.store.url, describe(target, form, data_type))


def check_free(target: Target, form: Form) -> None:
    """Raise BadUsage if DEST is a layer already that differs in more than its data type."""
    there = target.store.get("info")
    if there is None:
        describe(target, form, "uint32")
    else:
        info, _ = parse_info(there, target.store.url)
        create(target, form, info.data_type if info.data_type in ("uint32", "uint64") else "uint32")


def expected_layer(target: Target, form: Form, data_type: str = "uint32") -> Layer:
    """DEST as it will be, to ask for its keys; its data type may turn out the larger one."""
    return Layer(target.store, encode_info(describe(target, form, data_type)))


def mip_of(target: Target, form: Form, layer: Layer) -> int:
    """Which mip of DEST is ours: others may have been added since."""
    key = describe(target, form, layer.info.data_type)["scales"][0]["key"]
    return next(mip for mip, scale in enumerate(layer.info.scales) if scale.key == key)


def _shard(scale: Json, target: Target, form: Form, voxel_bytes: int) -> Json:
    """The same scale in shards that are as large as they can be with whole ones in every box."""
    most = voxel_bytes * target.grid.shape[0] * target.grid.shape[1] * target.grid.shape[2]
    while True:
        sharded = shard_scale(
            scale, voxel_bytes=voxel_bytes, most_bytes=most, packing=packing_of(form.compress, form.encoding)
        )
        if _tiles(unit_of(msgspec.convert(sharded, Scale), target.store.url), target):
            return sharded
        most //= 2


def _tiles(unit: Vec, target: Target) -> bool:
    return all(
        n % u == 0 or n >= whole for n, u, whole in zip(target.grid.shape, unit, target.grid.bounds.size, strict=True)
    )
