"""Verifies the meshes that a layer names, in whatever form of Neuroglancer they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.sort import MESH
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.object_folder import Place, count_steps, folder_of, merger_of
from teravox.pipeline.verification.object_table import compare_table

if TYPE_CHECKING:
    from teravox.pipeline.layers.sharding.read import Found
    from teravox.pipeline.meshes.mesh_source import MeshSource
    from teravox.pipeline.meshes.multires_source import ShardedSource
    from teravox.pipeline.verification.look import Look
    from teravox.pipeline.verification.mesh_multires import MultiresChecker


def find_meshes(look: Look) -> Iterable[Meshes]:
    """The folder of meshes that a layer names, if it names one."""
    folder = folder_of(look, MESH)
    return [] if folder is None else [Meshes(look, folder)]


class Meshes:
    """The meshes in a folder of a layer."""

    def __init__(self, look: Look, folder: str) -> None:
        self.place = f"meshes in {folder}"
        self._look = look
        self._folder = folder

    def steps(self) -> int:
        return count_steps(self._look, self._folder)

    def findings(self) -> Iterator[Finding]:
        from teravox.pipeline.meshes.mesh_info import read_mesh_info
        from teravox.pipeline.meshes.reading import open_meshes

        look = self._look
        assert look.layer is not None  # which names the folder
        try:
            _, raw = read_mesh_info(look.store, self._folder)
            source = open_meshes(look.layer, self._folder)
        except BadInput as error:
            yield Finding("invalid", f"{self._folder}/info", str(error), merger_of(look, self._folder))
            return
        place = Place(look, look.layer, MESH, self._folder, raw)
        unknown = list(place.check_info())
        yield from unknown
        known = set()
        for finding in place.compare():
            known.add(finding.key)
            yield finding
        if not unknown:
            yield from (finding for finding in self._check(place, source, known) if finding.key not in known)
            yield from compare_table(look, look.layer, MESH, source)

    def _check(self, place: Place, source: MeshSource, known: set[str]) -> Iterator[Finding]:
        from teravox.pipeline.meshes.legacy_source import LegacySource
        from teravox.pipeline.meshes.multires_source import MultiresSource, ShardedSource, UnshardedSource
        from teravox.pipeline.verification.mesh_legacy import LegacyCheck
        from teravox.pipeline.verification.mesh_multires import MultiresChecker
        from teravox.pipeline.verification.mesh_unsharded import check_unsharded
        from teravox.pipeline.verification.object_shards import check_shards

        closed = self._are_closed()
        if isinstance(source, LegacySource):
            yield from LegacyCheck(place, source, closed=closed).run()
            return
        assert isinstance(source, MultiresSource)  # there are no others
        checker = MultiresChecker(source, place.space, closed=closed)
        if isinstance(source, UnshardedSource):
            yield from check_unsharded(place, source, checker)
        elif isinstance(source, ShardedSource):
            yield from check_shards(
                self._look, source.shards, known, lambda found: _check_in_shard(source, checker, found), MESH.many
            )

    def _are_closed(self) -> bool:
        """Whether all surfaces were closed when they were written: merges check that, unless the forge left them open."""
        jobs = self._look.makers.jobs
        merged = any(job.prefix == f"{self._folder}/" and job.record.kind == "mesh merge" for job in jobs)
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
