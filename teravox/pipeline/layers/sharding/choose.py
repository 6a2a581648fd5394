"""Chooses how a mip is sharded: shards as large as memory allows, with indices that are small to fetch."""

from __future__ import annotations

from teravox.pipeline.box import Vec
from teravox.pipeline.layers.sharding.morton import Morton
from teravox.pipeline.layers.sharding.spec import Packing, ShardSpec

IN_A_MINISHARD = 9  # bits: an index of 512 chunks takes 12 KiB before it is packed
IN_AN_INDEX = 9  # bits: an index of 512 minishards takes 8 KiB


def choose_image_shards(cells: Vec, chunk_bytes: int, most_bytes: int, packing: Packing) -> ShardSpec:
    """How to shard a grid of `cells` chunks so that the voxels of a shard take at most `most_bytes`; at least one chunk.

    Minishards first take as many chunks as their index can hold, then there are more minishards, and where
    these too are as many as one index can hold, minishards grow.
    """
    morton = Morton(cells)
    inside = 0
    while inside < morton.bits and chunk_bytes << (inside + 1) <= most_bytes:
        inside += 1
    minishard_bits = min(max(0, inside - IN_A_MINISHARD), IN_AN_INDEX)
    return ShardSpec(
        preshift_bits=inside - minishard_bits,
        hash="identity",
        minishard_bits=minishard_bits,
        shard_bits=morton.bits - inside,
        minishard_index_encoding="gzip",
        data_encoding=packing,
    )
