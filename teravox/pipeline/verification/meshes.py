"""Verifies the meshes that a layer names, in whatever form of Neuroglancer they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.sort import MESH
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.objects_part import ObjectsPart, find_objects

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.layers.sharding.read import Found
    from teravox.pipeline.meshes.mesh_source import MeshSource
    from teravox.pipeline.meshes.multires_source import ShardedSource
    from teravox.pipeline.verification.look import Look
    from teravox.pipeline.verification.mesh_multires import MultiresChecker
    from teravox.pipeline.verification.object_folder import Place


def find_meshes(look: Look) -> Iterable[ObjectsPart[MeshSource]]:
    """The folder of meshes that a layer names, if it names one."""
    return find_objects(look, MESH, _open, _check)


def _open(layer: Layer, folder: str) -> tuple[dict[str, Any], MeshSource]:  # Any: JSON
    from teravox.pipeline.meshes.mesh_info import read_mesh_info
    from teravox.pipeline.meshes.reading import open_meshes

    _, raw = read_mesh_info(layer.store, folder)
    return raw, open_meshes(layer, folder)


def _check(place: Place, source: MeshSource, known: set[str]) -> Iterator[Finding]:
    from teravox.pipeline.meshes.legacy_source import LegacySource
    from teravox.pipeline.meshes.multires_source import MultiresSource, ShardedSource, UnshardedSource
    from teravox.pipeline.verification.mesh_legacy import LegacyCheck
    from teravox.pipeline.verification.mesh_multires import MultiresChecker
    from teravox.pipeline.verification.mesh_unsharded import check_unsharded
    from teravox.pipeline.verification.object_shards import check_shards

    closed = _are_closed(place)
    if isinstance(source, LegacySource):
        yield from LegacyCheck(place, source, closed=closed).run()
        return
    assert isinstance(source, MultiresSource)  # there are no others
    checker = MultiresChecker(source, place.space, closed=closed)
    if isinstance(source, UnshardedSource):
        yield from check_unsharded(place, source, checker)
    elif isinstance(source, ShardedSource):
        yield from check_shards(
            place.look, source.shards, known, lambda found: _check_in_shard(source, checker, found), MESH.many
        )


def _are_closed(place: Place) -> bool:
    """Whether all surfaces were closed when they were written: merges check that, unless the forge left them open."""
    jobs = place.look.makers.jobs
    merged = any(job.prefix == f"{place.folder}/" and job.record.kind == "mesh merge" for job in jobs)
    forged = [job.record.job for job in jobs if job.record.kind == "mesh forge"]
    return merged and bool(forged) and not any(job.get("open_edge") for job in forged)


def _check_in_shard(source: ShardedSource, checker: MultiresChecker, found: Found) -> list[Finding]:
    reader = source.shards.reader
    key = reader.key(found.shard)
    try:
        packed = source.shards.read_data(key, found.start, found.stop - found.start)
        place = source.place(found, packed)
    except BadInput as error:
        return [Finding("undecodable", key, f"the mesh of label {found.number}: {error}")]
    return list(checker.check(found.number, key, place))
