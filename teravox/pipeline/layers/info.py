"""The `info` file of a layer: typed and checked, and rewritten without losing what teravox does not know."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.urls import confine

Count = Annotated[int, Meta(ge=1)]
Size = tuple[Count, Count, Count]
Nanometres = Annotated[int, Meta(gt=0)] | Annotated[float, Meta(gt=0)]
DataType = Literal["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32"]
Json = dict[str, Any]  # JSON may hold anything


class Scale(msgspec.Struct, frozen=True):
    """One mip: its grid of chunks and how they are encoded."""

    key: str
    size: Size
    resolution: tuple[Nanometres, Nanometres, Nanometres]
    chunk_sizes: Annotated[tuple[Size, ...], Meta(min_length=1)]
    encoding: str
    voxel_offset: Vec = (0, 0, 0)
    compressed_segmentation_block_size: Size | None = None
    sharding: Json | None = None
    jpeg_quality: int | None = None
    png_level: int | None = None
    jxl_quality: int | None = None
    jxl_effort: int | None = None
    jxl_decodingspeed: int | None = None
    fpzip_precision: int | None = None
    zfpc_rate: float | None = None
    zfpc_precision: float | None = None
    zfpc_tolerance: float | None = None
    zfpc_correlated_dims: tuple[bool, bool, bool, bool] | None = None

    @property
    def chunk(self) -> Vec:
        """The size of a chunk; where several are offered, the first."""
        return self.chunk_sizes[0]

    @property
    def bounds(self) -> Box:
        (x, y, z), (sx, sy, sz) = self.voxel_offset, self.size
        return Box((x, y, z), (x + sx, y + sy, z + sz))


class Info(msgspec.Struct, frozen=True):
    """What a layer holds, at which mips."""

    type: Literal["image", "segmentation"]
    data_type: DataType
    num_channels: Count
    scales: Annotated[tuple[Scale, ...], Meta(min_length=1)]

    @property
    def itemsize(self) -> int:
        """The bytes of one number, by its name: planning a job need not load numpy."""
        return int("".join(filter(str.isdigit, self.data_type))) // 8


def parse_info(data: bytes, url: str) -> tuple[Info, Json]:
    """The info file, typed and as it is; BadInput names the file and the field that is wrong."""
    try:
        raw = msgspec.json.decode(data, type=dict)
        if raw.get("redirect"):
            raise BadInput(f"{url}/info only points to {raw['redirect']}: use that URL")
        info = msgspec.convert(raw, Info)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{url}/info is not what describes a Precomputed layer: {error}. Correct it, or write it again"
        ) from None
    for scale in info.scales:
        confine(scale.key, url)
    return info, raw


def encode_info(raw: Json) -> bytes:
    """The info file's bytes, for people too."""
    return msgspec.json.format(msgspec.json.encode(raw), indent=2) + b"\n"
