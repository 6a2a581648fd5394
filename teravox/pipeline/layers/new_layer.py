"""Makes the info of a new layer, and puts it in place where no other layer is."""

from __future__ import annotations

from typing import Any

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.encodings import check_encoding
from teravox.pipeline.layers.info import Info, Scale, encode_info, parse_info
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.sharding.choose import choose_image_shards
from teravox.pipeline.layers.sharding.spec import Packing
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.urls import normalize
from teravox.pipeline.units import say_bytes

Json = dict[str, Any]  # JSON may hold anything
Nanometres = tuple[float, float, float]


def scale_key(resolution: Nanometres) -> str:
    """The usual name of a scale: its resolution."""
    return "_".join(str(tidy(number)) for number in resolution)


def new_scale(*, bounds: Box, resolution: Nanometres, chunk: Vec, encoding: Json, key: str | None = None) -> Json:
    """A scale as it stands in an info; `encoding` has its words (see `encoding_words`)."""
    size = bounds.size
    return {
        "chunk_sizes": [list(chunk)],
        "key": key or scale_key(resolution),
        "resolution": [tidy(number) for number in resolution],
        "size": list(size),
        "voxel_offset": list(bounds.min),
        **encoding,
    }


def shard_scale(raw: Json, *, voxel_bytes: int, most_bytes: int, packing: Packing) -> Json:
    """The same scale, in shards whose voxels take at most so many bytes."""
    scale = msgspec.convert(raw, Scale)
    x, y, z = (-(-n // c) for n, c in zip(scale.size, scale.chunk, strict=True))
    chunk_bytes = scale.chunk[0] * scale.chunk[1] * scale.chunk[2] * voxel_bytes
    if chunk_bytes > most_bytes:
        raise BadUsage(
            f"--memory: one chunk takes {say_bytes(chunk_bytes)}, and a shard may have {say_bytes(most_bytes)}"
        )
    return raw | {"sharding": choose_image_shards((x, y, z), chunk_bytes, most_bytes, packing).as_json()}


def new_info(*, type: str, data_type: str, channels: int, scales: list[Json]) -> Json:
    """The info of a layer; BadUsage where its voxels cannot be encoded as its scales say."""
    raw: Json = {
        "@type": "neuroglancer_multiscale_volume",
        "type": type,
        "data_type": data_type,
        "num_channels": channels,
        "scales": scales,
    }
    info = msgspec.convert(raw, Info)
    for scale in info.scales:
        check_encoding(scale.encoding, info)
    return raw


def create_layer(url: str, raw: Json, *, add: bool = False) -> Layer:
    """Put an info in place where there is none, and return the layer; where it is already, nothing is written.

    A layer that differs is left as it is, and BadUsage says so. With `add`, its other scales do not matter,
    and those of `raw` that it lacks come after them in the order of their resolutions.
    """
    url = normalize(url)
    store = open_store(url)
    there = store.get("info")
    if there is None:
        data = encode_info(raw)
        parse_info(data, url)  # what could not be read again is not written
        store.put("info", data, content_type="application/json")
        return Layer.open(url, fresh=True)
    layer = Layer.open(url, fresh=True)
    theirs = layer.raw
    differ = [word for word in ("type", "data_type", "num_channels") if theirs.get(word) != raw[word]]
    if differ:
        said = ", ".join(f"{word} {theirs.get(word)}, not {raw[word]}" for word in differ)
        raise BadUsage(f"{url} is a layer already, and differs: {said}. Choose another DEST, or remove this one")
    by_key = {scale["key"]: scale for scale in theirs["scales"]}
    ours = [msgspec.json.decode(msgspec.json.encode(scale)) for scale in raw["scales"]]
    for scale in ours:
        other = by_key.get(scale["key"])
        if other is not None and other != scale:
            words = sorted(word for word in {*other, *scale} if other.get(word) != scale.get(word))
            said = ", ".join(f"{word} {other.get(word)}, not {scale.get(word)}" for word in words)
            raise BadUsage(
                f"{url} has a scale {scale['key']} already, and it differs: {said}. Choose another DEST, or remove this one"
            )
    new = [scale for scale in ours if scale["key"] not in by_key]
    if new and not add:
        raise BadUsage(
            f"{url} is a layer already, without the scale {new[0]['key']}. Choose another DEST, or remove this one"
        )
    if new:
        return layer.change_info(lambda raw: raw | {"scales": _with_scales(raw["scales"], new)})
    return layer


def _with_scales(there: list[Json], new: list[Json]) -> list[Json]:
    """Scales in the order of their resolutions, without doubles."""
    keys = {scale["key"] for scale in there}
    scales = [*there, *(scale for scale in new if scale["key"] not in keys)]
    return sorted(scales, key=lambda scale: [float(n) for n in scale["resolution"]])


def tidy(number: float) -> int | float:
    """4 rather than 4.0, and 2.4 rather than 2.4000000000000004."""
    rounded = float(f"{number:.12g}")
    return int(rounded) if rounded.is_integer() else rounded
