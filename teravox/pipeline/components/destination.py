"""DEST: the layer that gets the components of the whole."""

from __future__ import annotations

from typing import Any

import msgspec

from teravox.pipeline.box import Vec
from teravox.pipeline.components.form import Form
from teravox.pipeline.components.plan import Plan
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.encoding import encoding_words, packing_of
from teravox.pipeline.layers.info import Scale, encode_info, parse_info
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale, shard_scale

Json = dict[str, Any]  # JSON may hold anything


def data_type_for(labels: int) -> str:
    """The smaller type that can hold so many labels."""
    return "uint32" if labels < 2**32 else "uint64"


def describe(plan: Plan, form: Form, data_type: str) -> Json:
    """The info of DEST."""
    source = plan.layer.scale(plan.mip)
    scale = new_scale(
        bounds=plan.grid.bounds,
        resolution=source.resolution,
        chunk=plan.chunk,
        encoding=encoding_words(form.encoding),
    )
    if form.sharded:
        scale = _shard(scale, plan, form, 4 if data_type == "uint32" else 8)
    return new_info(type="segmentation", data_type=data_type, channels=1, scales=[scale])


def create(plan: Plan, form: Form, data_type: str) -> Layer:
    """Write the info of DEST, or find that it is there; BadUsage where another layer is."""
    return create_layer(plan.store.url, describe(plan, form, data_type))


def check_free(plan: Plan, form: Form) -> None:
    """Raise BadUsage if DEST is a layer already that differs in more than its data type."""
    there = plan.store.get("info")
    if there is None:
        describe(plan, form, "uint32")
    else:
        info, _ = parse_info(there, plan.store.url)
        create(plan, form, info.data_type if info.data_type in ("uint32", "uint64") else "uint32")


def expected_layer(plan: Plan, form: Form) -> Layer:
    """DEST as it will be, to ask for its keys; its data type may turn out the larger one."""
    return Layer(plan.store, encode_info(describe(plan, form, "uint32")))


def mip_of(plan: Plan, form: Form, layer: Layer) -> int:
    """Which mip of DEST is ours: others may have been added since."""
    key = describe(plan, form, layer.info.data_type)["scales"][0]["key"]
    return next(mip for mip, scale in enumerate(layer.info.scales) if scale.key == key)


def _shard(scale: Json, plan: Plan, form: Form, voxel_bytes: int) -> Json:
    """The same scale in shards that are as large as they can be with whole ones in every box."""
    most = voxel_bytes * plan.grid.shape[0] * plan.grid.shape[1] * plan.grid.shape[2]
    while True:
        sharded = shard_scale(
            scale, voxel_bytes=voxel_bytes, most_bytes=most, packing=packing_of(form.compress, form.encoding)
        )
        if _tiles(unit_of(msgspec.convert(sharded, Scale), plan.store.url), plan):
            return sharded
        most //= 2


def _tiles(unit: Vec, plan: Plan) -> bool:
    return all(
        n % u == 0 or n >= whole for n, u, whole in zip(plan.grid.shape, unit, plan.grid.bounds.size, strict=True)
    )
