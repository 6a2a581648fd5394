"""What there is to know of a layer, as `teravox show` tells it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from teravox.pipeline.box import Vec

Json = dict[str, Any]  # JSON may hold anything
What = Literal["mesh", "skeletons", "segment_properties"]


class Shards(msgspec.Struct, frozen=True, kw_only=True):
    """How the chunks of a mip lie in shards; None is what cannot be said, because they are spread by a hash."""

    count: int | None
    shape: Vec | None  # voxels
    raw_bytes: int | None  # of a whole one
    minishards: int  # of each
    hash: str
    data_encoding: str


class Mip(msgspec.Struct, frozen=True, kw_only=True):
    """A level of the pyramid; chunks and bytes are those of a full volume."""

    mip: int
    key: str
    size: Vec
    resolution: tuple[float, float, float]  # nanometres
    voxel_offset: Vec
    chunk: Vec
    encoding: str
    encoding_words: Json
    chunks: int
    raw_bytes: int
    shards: Shards | None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Meshes, skeletons or properties that belong to the segments; and fragments, of which the layer's info does not know."""

    what: What | Literal["fragments", "skeleton_fragments"]
    key: str
    found: bool  # whether its own info is there
    type: str | None
    is_sharded: bool
    details: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the provenance."""

    task: str
    version: str | None
    date: str | None
    by: str | None
    method: Any  # whatever its writer noted


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """A job in the ledger, and how far it is."""

    id: str
    kind: str | None
    version: str | None
    done: int | None
    total: int | None
    finished: bool
    trouble: str | None  # why it cannot be read


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """A layer and all that belongs to it; None for `jobs` where the files of a place cannot be listed."""

    url: str
    type: str
    data_type: str
    num_channels: int
    mips: tuple[Mip, ...]
    parts: tuple[Part, ...]
    history: tuple[Step, ...]
    jobs: tuple[JobState, ...] | None
