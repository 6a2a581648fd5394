"""The options that kinds share, each worded once; and how a field says what the command line needs to know."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from teravox.pipeline.box import Box, Vec

Form = Literal["count", "bytes", "seconds", "layer", "queue", "path", "file"]


def says(text: str, *, form: Form | None = None, positional: bool = False, short: str = "") -> Meta:
    """The help of an option and how it is written: as bytes (`3.5GB`), seconds (`10m`), a layer, a queue.

    A `path` is one of the machine where the command is typed; a `file` is a URL, which workers may be kept from.
    """
    extra = {"form": form, "positional": positional, "short": short}
    return Meta(description=text, extra={word: value for word, value in extra.items() if value})


Layer = Annotated[str, says("Path or URL of a Precomputed layer.", form="layer", positional=True)]
Source = Annotated[str, says("Layer to read; it is never written to.", form="layer", positional=True)]
Dest = Annotated[str, says("Layer to write.", form="layer", positional=True)]
Mip = Annotated[int, Meta(ge=0), says("Level of the pyramid to start from; 0 is full size.")]
Bounds = Annotated[Box | None, says("Part of the volume, as x0,y0,z0:x1,y1,z1 in voxels of --mip. Default: all of it.")]
Shape = Annotated[Vec | None, says("Size of a piece, in voxels of --mip. Default: by --memory.")]
Factor = Annotated[Vec, says("How many voxels become one, in x,y,z.")]
FillMissing = Annotated[bool, says("Read missing chunks as background instead of failing.")]
Bytes = Annotated[int, Meta(gt=0), says("A size, like 3.5GB.", form="bytes")]
Memory = Annotated[int, Meta(gt=0), says("Most memory that a task may need.", form="bytes")]
Seconds = Annotated[float, Meta(ge=0), says("A time, like 90s or 10m.", form="seconds")]
Compress = Annotated[
    Literal["auto", "gzip", "br", "zstd", "none"],
    says(
        "How stored chunks are compressed on top of their encoding. auto: gzip, but not where the encoding leaves nothing to gain."
    ),
]
CompressLevel = Annotated[
    int | None, says("How hard --compress tries: gzip 1 to 12, br 0 to 11, zstd 1 to 19. Default: what measured best.")
]
EncodingName = Literal[
    "raw", "png", "jpeg", "jxl", "compressed_segmentation", "compresso", "crackle", "fpzip", "zfpc", "kempressed"
]
EncodingLevel = Annotated[
    int | None,
    says(
        "Level of the encoding: quality of jpeg and jxl (0 to 100), level of png (0 to 9), precision of fpzip and zfpc."
    ),
]
EncodingEffort = Annotated[int | None, says("How hard the encoding tries: jxl 1 to 10.")]
ChunkSize = Annotated[Vec, says("Size of a chunk, in voxels.")]
Sharded = Annotated[bool, says("Put the chunks together into shards: few large files, read part by part.")]
Resolution = Annotated[
    tuple[float, float, float], says("Size of a voxel in nanometres, in x,y,z; decimals are allowed.")
]
