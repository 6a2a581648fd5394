"""What the Neuroglancer client cannot decode, said in another way: its info, and its chunks one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.layers.chunk_grid import find_chunk
from teravox.pipeline.layers.info import Info, Scale, encode_info

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

CLIENT_DECODES = frozenset({"raw", "jpeg", "png", "jxl", "compressed_segmentation", "compresso"})
BLOCK = [8, 8, 8]  # of compressed_segmentation


def shown_type(info: Info) -> str:
    """The data type in which the client is given a layer's voxels; it has no int64."""
    if info.data_type != "int64":
        return info.data_type
    return "uint64" if info.type == "segmentation" else "float32"


def is_translated(info: Info, scale: Scale) -> bool:
    """Whether the client could not decode the chunks of a scale as they are."""
    return scale.encoding not in CLIENT_DECODES or shown_type(info) != info.data_type


def translate_info(layer: Layer) -> bytes | None:
    """The info of a layer as the client is to see it; None where it can see it as it is."""
    raw = layer.raw
    raw["data_type"] = shown_type(layer.info)
    for said, scale in zip(raw["scales"], layer.info.scales, strict=True):
        if is_translated(layer.info, scale):
            said.pop("sharding", None)
            said["chunk_sizes"] = [list(scale.chunk)]
            said["encoding"] = _encoding(layer.info)
        if said["encoding"] == "compressed_segmentation":
            said.setdefault("compressed_segmentation_block_size", BLOCK)
    return None if raw == layer.raw else encode_info(raw)


def find_translated(layer: Layer, key: str) -> tuple[int, Box] | None:
    """The mip and the box of the chunk that a key of a translated scale names; None where it names no such chunk."""
    for mip, scale in enumerate(layer.info.scales):
        chunk = find_chunk(scale, key) if is_translated(layer.info, scale) else None
        if chunk is not None:
            return mip, chunk
    return None


def translate_chunk(layer: Layer, mip: int, chunk: Box) -> bytes | None:
    """A chunk as the client decodes it; None if it is missing. BadInput if it is damaged."""
    from teravox.pipeline.layers.chunk_source import ChunkSource
    from teravox.pipeline.layers.codec import encode

    taken: list[NDArray[Any] | None] = []
    ChunkSource(layer, mip, fill_missing=True).for_each([chunk], lambda _, voxels: taken.append(voxels))
    (voxels,) = taken
    if voxels is None:
        return None
    scale = msgspec.structs.replace(
        layer.scale(mip), encoding=_encoding(layer.info), compressed_segmentation_block_size=None
    )
    return encode(_retype(voxels, layer.info), scale)


def _encoding(info: Info) -> str:
    """What translated chunks are encoded as; the client's graphics memory holds labels compressed anyway."""
    if info.type == "segmentation" and shown_type(info) in ("uint32", "uint64") and info.num_channels == 1:
        return "compressed_segmentation"
    return "raw"


def _retype(voxels: NDArray[Any], info: Info) -> NDArray[Any]:
    wanted = shown_type(info)
    if voxels.dtype == wanted:
        return voxels
    return voxels.view(wanted) if wanted == "uint64" else voxels.astype(wanted)
