"""The plan of a copy: the destination as it is to be, and the pieces that fill it."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.downsampling_options import method_for
from teravox.pipeline.layers.encoding import packing_of
from teravox.pipeline.layers.info import Json, Scale, encode_info
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_info, shard_scale
from teravox.pipeline.layers.transfer.check_wish import check_wish
from teravox.pipeline.layers.transfer.cut import Cut, cut_mips
from teravox.pipeline.layers.transfer.pieces import MipBox, Pieces
from teravox.pipeline.layers.transfer.route import PIECE, Route
from teravox.pipeline.layers.transfer.scales import copied_scales, is_encoded_alike
from teravox.pipeline.layers.transfer.wish import Wish
from teravox.pipeline.storage.open import open_store

WORKERS = 64  # that a large volume has shards for, where memory would allow fewer


class Plan(msgspec.Struct, frozen=True):
    """What follows from a wish and the source alone, so that it is the same before and after the copy is there."""

    wish: Wish
    target: Layer  # as it is to be, whether it is there or not
    routes: tuple[Route, ...]
    pieces: Pieces

    def route(self, mip: int) -> Route:
        for route in self.routes:
            if route.cut.mip == mip:
                return route
        raise BadInput(f"this job copies nothing of mip {mip} of {self.wish.source}")

    def results(self, piece: MipBox) -> list[tuple[int, Box]]:
        """The mips of the target that a piece writes to, and its box in each."""
        scales = self.target.info.scales
        return [(scales.index(scale), box) for scale, box in self.route(piece.mip).results(piece.box)]

    def check_target(self) -> None:
        """Raise BadInput if the destination is not, or no longer, as it was prepared."""
        there = {scale.key: scale for scale in Layer.open(self.wish.dest, fresh=True).info.scales}
        for scale in self.target.info.scales:
            if there.get(scale.key) != scale:
                raise BadInput(
                    f"the scale {scale.key} of {self.target.url} is not as this job prepared it, or the source has changed "
                    "since; make the job anew"
                )


def plan_copy(wish: Wish, *, fresh: bool = False) -> Plan:
    """The plan for a wish; BadUsage says which option cannot be meant."""
    source = Layer.open(wish.source, fresh=fresh)
    check_wish(wish, source)
    routes: list[Route] = []
    scales: list[Json] = []
    for cut in cut_mips(wish, source):
        raws = copied_scales(wish, source, cut)
        new_info_of(source, raws)  # refuses encodings that cannot hold the voxels
        route, raws = _shard(wish, source, cut, raws) if wish.sharded else (_route(wish, source, cut, raws), raws)
        routes.append(route)
        scales += raws
    target = Layer(open_store(wish.dest), encode_info(new_info_of(source, scales)))
    pieces = Pieces([(route.cut.mip, route.pieces(wish.shape)) for route in routes])
    return Plan(wish, target, tuple(routes), pieces)


def new_info_of(source: Layer, scales: list[Json]) -> Json:
    """The info of a copy: what the source holds, and these scales.

    Whatever else the source's info points to (meshes, skeletons, properties of segments) are files that are not copied.
    """
    info = source.info
    return new_info(type=info.type, data_type=info.data_type, channels=info.num_channels, scales=scales)


def _route(wish: Wish, source: Layer, cut: Cut, raws: list[Json]) -> Route:
    return Route(
        source=source,
        dest=open_store(wish.dest).url,
        cut=cut,
        scales=msgspec.convert(raws, tuple[Scale, ...]),
        is_encoded_alike=is_encoded_alike(wish, source.raw["scales"][cut.mip]),
        factor=wish.factor,
        method=method_for(source, wish.method),
        sparse=wish.sparse,
        memory=wish.memory_limit,
    )


def _shard(wish: Wish, source: Layer, cut: Cut, raws: list[Json]) -> tuple[Route, list[Json]]:
    """The largest shards with which a piece fits in memory and there is work for many workers.

    Shards of the mips above cover the same part of the volume.
    """
    voxel = source.info.num_channels * source.info.itemsize
    most = min(wish.memory_limit, max(PIECE, math.prod(cut.box.size) * voxel // WORKERS))
    while True:
        sharded = [_sharded(raw, voxel, most // math.prod(wish.factor) ** step, wish) for step, raw in enumerate(raws)]
        route = _route(wish, source, cut, sharded)
        try:
            route.pieces(None)
        except BadUsage:
            if most <= voxel:  # shards of single chunks are too large
                raise
            most //= 2
            continue
        return route, sharded


def _sharded(raw: Json, voxel: int, most: int, wish: Wish) -> Json:
    chunk = msgspec.convert(raw, Scale).chunk
    chunk_bytes = chunk[0] * chunk[1] * chunk[2] * voxel
    return shard_scale(
        raw, voxel_bytes=voxel, most_bytes=max(most, chunk_bytes), packing=packing_of(wish.compress, raw["encoding"])
    )
