"""Meshes of several levels as they are stored, without decoding them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from teravox.pipeline.layers.sharding.read import Found
from teravox.pipeline.meshes.multires_source import MultiresSource, ShardedSource
from teravox.pipeline.objects.copying.plan import missing, refuse_size
from teravox.pipeline.objects.copying.ways import Stored
from teravox.pipeline.objects.sort import MESH

TOGETHER = 32 * 1024 * 1024  # bytes that are fetched by one request, unless a single mesh has more


def read_stored(source: MultiresSource, labels: Iterable[int], most: int) -> Iterator[Stored]:
    """Meshes one by one; BadInput where one is missing, or has more than `most` bytes."""
    for label in labels:
        place = source.find(label)
        if place is None:
            raise missing(source, MESH, label)
        size = source.read_manifest(label, place.manifest).size
        refuse_size(source, MESH, label, size, most)
        yield Stored(label, place.manifest, source.read_data(place.key, place.start, size))


def read_shard(source: ShardedSource, shard: int, most: int) -> Iterator[Stored]:
    """All meshes of a shard, in the order in which they lie there, by few large requests."""
    run: list[Found] = []
    begin = end = source.shards.spec.index_size  # what lies before the first manifest of the run is its data
    for found in sorted(source.shards.reader.all_in(shard), key=lambda found: found.start):
        if run and found.stop - begin > min(TOGETHER, most):
            yield from _read_run(source, run, begin, most)
            run, begin = [], min(end, found.start)
        run.append(found)
        end = found.stop
    if run:
        yield from _read_run(source, run, begin, most)


def _read_run(source: ShardedSource, run: list[Found], begin: int, most: int) -> Iterator[Stored]:
    key = source.shards.reader.key(run[0].shard)
    if run[-1].stop - begin > most:  # a single large one, or one that lies behind a gap
        for found in run:
            data = source.read_data(key, found.start, found.stop - found.start)
            place = source.place(found, data)
            size = found.start - place.start
            refuse_size(source, MESH, found.number, size, most)
            yield Stored(found.number, place.manifest, source.read_data(key, place.start, size))
        return
    bytes_of_run = source.read_data(key, begin, run[-1].stop - begin)
    for found in run:
        packed = bytes_of_run[found.start - begin : found.stop - begin]
        place = source.place(found, packed)
        if place.start >= begin:
            data = bytes_of_run[place.start - begin : found.start - begin]
        else:  # labels may share a mesh
            data = source.read_data(key, place.start, found.start - place.start)
        yield Stored(found.number, place.manifest, data)
