"""What a piece will read and write, as kinds declare it: places, and sizes only where the places do not say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from teravox.pipeline.box import Box
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.store import Compression


class Chunks(NamedTuple):
    """The chunks, or the parts of shards, that hold a box of a mip."""

    layer: Layer  # as it is, or as it is to be
    mip: int
    box: Box
    compress: Compression | None = None  # of what is written
    copied: bool = False  # they are written as they were read, and those that are missing are left out


class Objects(NamedTuple):
    """Whole objects by their names. How large those are that are not there yet, only earlier runs can say."""

    url: str
    keys: Sequence[str]


class Bytes(NamedTuple):
    """An amount where places cannot be said, as of parts of files."""

    size: int
    requests: int


class Share(NamedTuple):
    """A part of all that lies below a prefix, of each object some, and its head."""

    url: str
    prefix: str
    part: float
    head: int  # bytes


class Unsaid(NamedTuple):
    """What nobody can say before it is done."""

    why: str


Part: TypeAlias = Chunks | Objects | Bytes | Share | Unsaid


class Traffic(NamedTuple):
    """All that a piece reads and writes."""

    reads: Sequence[Part] = ()
    writes: Sequence[Part] = ()
    voxels: int | None = None  # a measure of the work, where the piece is no box
    kept: bool = True  # whether what it writes stays when the result is there


def info_of(url: str) -> Objects:
    """A layer's info, which most pieces read first."""
    return Objects(url, ("info",))
