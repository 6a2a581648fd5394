"""The options that kinds share, each worded once; and how a field says what the command line needs to know."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from teravox.pipeline.box import Box, Vec

Form = Literal["count", "bytes", "seconds", "layer", "queue", "path"]


def says(text: str, *, form: Form | None = None, positional: bool = False, short: str = "") -> Meta:
    """The help of an option and how it is written: as bytes (`3.5GB`), seconds (`10m`), a layer, a queue."""
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
    Literal["gzip", "br", "zstd", "none"], says("How stored chunks are compressed on top of their encoding.")
]
