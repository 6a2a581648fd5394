"""Chunks into bytes and back; cloud-volume has the codecs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.cut_off import check_whole
from teravox.pipeline.layers.info import Info, Scale

Array = NDArray[Any]  # of the layer's data type

# encoding → the data types and the numbers of channels that it takes; None takes any
TAKES: dict[str, tuple[frozenset[str] | None, frozenset[int] | None]] = {
    "raw": (None, None),
    "jpeg": (frozenset({"uint8"}), frozenset({1, 3})),
    "jxl": (frozenset({"uint8"}), frozenset({1})),
    "png": (frozenset({"uint8"}), frozenset({1, 2, 3, 4})),  # cloud-volume writes uint16 too, but cannot read it
    "compressed_segmentation": (frozenset({"uint32", "uint64"}), frozenset({1})),
    "compresso": (frozenset({"uint8", "uint16", "uint32", "uint64"}), frozenset({1})),
    "crackle": (frozenset({"uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"}), frozenset({1})),
    "fpzip": (frozenset({"float32"}), None),
    "kempressed": (frozenset({"float32"}), None),
    "zfpc": (frozenset({"int32", "int64", "float32"}), None),
}
BLOCK = (8, 8, 8)  # of compressed_segmentation, where the info names none
CONTENT_TYPES = {"jpeg": "image/jpeg", "jxl": "image/jxl", "png": "image/png"}


def check_encoding(encoding: str, info: Info) -> None:
    """Raise BadUsage if a layer's voxels cannot be encoded so, here and now."""
    if encoding not in TAKES:
        raise BadUsage(f"there is no encoding {encoding!r}; there are {', '.join(TAKES)}")
    data_types, channels = TAKES[encoding]
    if data_types is not None and info.data_type not in data_types:
        raise BadUsage(f"{encoding} encodes {', '.join(sorted(data_types))}, and this layer holds {info.data_type}")
    if channels is not None and info.num_channels not in channels:
        few = " or ".join(map(str, sorted(channels)))
        raise BadUsage(f"{encoding} encodes {few} channels, and this layer has {info.num_channels}")
    if encoding != "raw":
        from cloudvolume.chunks import NEEDS_INSTALL

        if encoding in NEEDS_INSTALL:
            raise BadUsage(f"{encoding} needs a package that is not installed: pip install {NEEDS_INSTALL[encoding]}")


def encode(voxels: Array, scale: Scale) -> bytes:
    """The bytes of a chunk of x, y, z and channel."""
    if scale.encoding == "raw":
        return voxels.tobytes("F")
    from cloudvolume import chunks

    block = scale.compressed_segmentation_block_size or BLOCK
    return bytes(
        chunks.encode(
            np.asfortranarray(voxels), scale.encoding, block_size=block, compression_params=_parameters(scale)
        )
    )


def decode(data: bytes, scale: Scale, shape: tuple[int, int, int, int], dtype: np.dtype[Any]) -> Array:
    """The voxels of a chunk; ValueError says what is wrong with its bytes. The array may be read-only."""
    block = scale.compressed_segmentation_block_size or BLOCK
    check_whole(scale.encoding, data, shape, dtype, block)
    if scale.encoding == "raw":
        return np.frombuffer(data, dtype).reshape(shape, order="F")
    from cloudvolume import chunks

    try:
        voxels: Array = chunks.decode(data, scale.encoding, shape=shape, dtype=dtype, block_size=block)
    except Exception as error:  # noqa: BLE001 - each codec has exceptions of its own
        raise ValueError(f"its {scale.encoding} data are broken ({error})") from None
    if voxels.size != np.prod(shape):
        raise ValueError(f"it has {voxels.size:,} voxels where {np.prod(shape):,} are expected")
    if scale.encoding in ("jpeg", "png") and shape[3] > 1:
        return _separate(voxels, shape)
    return voxels.reshape(shape, order="F")


def _separate(voxels: Array, shape: tuple[int, int, int, int]) -> Array:
    """The channels of a picture, which lie voxel by voxel in it, where cloud-volume takes them to lie one after another."""
    together = voxels.reshape(-1, order="F").reshape((shape[3], *shape[:3]), order="F")
    return np.moveaxis(together, 0, 3)


def _parameters(scale: Scale) -> dict[str, int | None]:
    if scale.encoding == "jxl":
        return {
            "level": scale.jxl_quality,
            **({} if scale.jxl_effort is None else {"jxl_effort": scale.jxl_effort}),
            **({} if scale.jxl_decodingspeed is None else {"jxl_decodingspeed": scale.jxl_decodingspeed}),
        }
    levels = {"jpeg": scale.jpeg_quality, "png": scale.png_level, "fpzip": scale.fpzip_precision}
    return {"level": levels.get(scale.encoding)}
