"""How numbers are spread over shards: the `sharding` of an info file, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.murmur import murmur64

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TYPE = "neuroglancer_uint64_sharded_v1"
Bits = Annotated[int, Meta(ge=0, le=64)]
Packing = Literal["raw", "gzip"]
Json = dict[str, Any]  # JSON may hold anything

ENTRY = 16  # bytes of a minishard in the index of its shard
ROW = 24  # bytes of a chunk in the index of its minishard


class ShardSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which shard and which minishard a number lies in, and how a shard is packed."""

    preshift_bits: Bits
    hash: Literal["identity", "murmurhash3_x86_128"]
    minishard_bits: Annotated[int, Meta(ge=0, le=32)]
    shard_bits: Bits
    minishard_index_encoding: Packing = "raw"
    data_encoding: Packing = "raw"

    @property
    def minishards(self) -> int:
        """How many minishards a shard has."""
        return 1 << self.minishard_bits

    @property
    def index_size(self) -> int:
        """The bytes at the beginning of a shard that say where its minishards are."""
        return ENTRY * self.minishards

    @property
    def shards(self) -> int:
        """How many shards there can be."""
        return 1 << self.shard_bits

    def file_name(self, shard: int) -> str:
        digits = -(-self.shard_bits // 4)
        return f"{shard:0{digits}x}.shard" if digits else "0.shard"

    def places(self, numbers: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """The shard and the minishard of each number."""
        import numpy as np

        hashed = _shift_right(numbers.astype(np.uint64), self.preshift_bits)
        if self.hash != "identity":
            hashed = murmur64(hashed)
        minishard = hashed & np.uint64(self.minishards - 1)
        shard = _shift_right(hashed, self.minishard_bits) & np.uint64(self.shards - 1)
        return shard, minishard

    def as_json(self) -> Json:
        """As it stands in an info file."""
        return {"@type": TYPE, **msgspec.to_builtins(self)}


def parse_spec(sharding: Json, place: str) -> ShardSpec:
    """The sharding in an info file; BadInput names the place and what is wrong."""
    if sharding.get("@type") != TYPE:
        raise BadInput(f"{place}: its sharding is of type {sharding.get('@type')!r}, and only {TYPE} is known")
    try:
        spec = msgspec.convert(sharding, ShardSpec)
    except msgspec.ValidationError as error:
        raise BadInput(f"{place}: its sharding cannot be read: {error}") from None
    if spec.minishard_bits + spec.shard_bits > 64:
        raise BadInput(f"{place}: its sharding has {spec.minishard_bits + spec.shard_bits} bits, and numbers have 64")
    return spec


def _shift_right(numbers: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """Numbers without their lowest bits; processors do not shift by 64."""
    import numpy as np

    return numbers >> np.uint64(bits) if bits < 64 else np.zeros_like(numbers)
