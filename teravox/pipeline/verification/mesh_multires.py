"""Checks meshes of several levels of detail: a label's manifest, and every fragment that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.meshes.draco_counts import count_packed
from teravox.pipeline.verification.finding import Finding, What
from teravox.pipeline.verification.mesh_checks import check_fragment, check_manifest, check_vertices, grid_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.meshes.merging.manifest import Cell, Fragment, Manifest
    from teravox.pipeline.meshes.multires_source import MultiresSource, Place
    from teravox.pipeline.verification.mesh_checks import Grid
    from teravox.pipeline.verification.object_space import Space

    Points = NDArray[np.uint32]
    Faces = NDArray[np.uint32]

TOGETHER = 16 * 1024 * 1024  # bytes of fragments that are fetched by one request, unless a single one has more
FACES_OF_A_BYTE = 64  # that Draco may pack, at most: more is told of by a damaged head, and no memory is taken for it
_WRAP = 1 << 64


class MultiresChecker:
    """Checks one label after another, and may do several side by side."""

    def __init__(self, source: MultiresSource, space: Space, *, closed: bool) -> None:
        """`closed` is said of meshes whose levels are known to be closed surfaces."""
        self._source = source
        self._space = space
        self._closed = closed

    def check(self, label: int, manifest_key: str, place: Place) -> Iterator[Finding]:
        """What is wrong with the mesh of a label, whose manifest lies in that object."""
        from teravox.pipeline.meshes.merging.manifest import Manifest

        def say(what: What, key: str, why: str) -> Finding:
            return Finding(what, key, f"the mesh of label {label}: {why}")

        try:
            manifest = Manifest.decode(place.manifest)
        except ValueError as error:
            yield say("undecodable", manifest_key, f"its manifest: {error}")
            return
        wrong = list(check_manifest(manifest, self._source.info, self._space))
        yield from (say("wrong", manifest_key, why) for why in wrong)
        if not wrong:
            for what, why in self._check_fragments(manifest, place):
                yield say(what, place.key, why)

    def _check_fragments(self, manifest: Manifest, place: Place) -> Iterator[tuple[What, str]]:
        start = place.start
        for number, level in enumerate(manifest.levels):
            total, is_whole = 0, True
            for fragment, data in self._read(place.key, start, level.fragments):
                at = f"cell {fragment.cell} of level {number}"
                if data is None:
                    yield "truncated", f"{at} lies where {place.key} has no bytes any more"
                    return
                try:
                    points, faces = _decode(data)
                    wrong = list(self._check_fragment(points, faces, fragment.cell, grid_of(manifest, number)))
                except ValueError as error:
                    yield "undecodable", f"{at}: {error}"
                    is_whole = False
                    continue
                yield from (("wrong", f"{at}: {why}") for why in wrong)
                is_whole = is_whole and not wrong
                total += self._edges(points, faces, fragment.cell)
            if self._closed and is_whole and total % _WRAP:
                yield "wrong", f"the surface of level {number} is not closed, and it was when it was written"
            start += level.size

    def _check_fragment(self, points: Points, faces: Faces, cell: Cell, grid: Grid) -> Iterator[str]:
        yield from check_fragment(points, faces, self._source.info.vertex_quantization_bits)
        yield from check_vertices(points, cell, grid, self._source.info, self._space)

    def _edges(self, points: Points, faces: Faces, cell: Cell) -> int:
        import numpy as np

        from teravox.kernels.mesh.lattice import edge_sum

        last = (1 << self._source.info.vertex_quantization_bits) - 1
        return edge_sum(points, faces, np.array(cell, np.int64) * last) if self._closed else 0

    def _read(self, key: str, start: int, fragments: Sequence[Fragment]) -> Iterator[tuple[Fragment, bytes | None]]:
        """The fragments that are not empty with their bytes, some fetched at once; None where the object ends before."""
        for run in _runs(fragments):
            size = sum(fragment.size for fragment in run)
            data = self._source.store.get_range(key, start, start + size) or b""
            at = 0
            for fragment in run:
                end = at + fragment.size
                if fragment.size:
                    yield fragment, data[at:end] if end <= len(data) else None
                at = end
            start += size


def _runs(fragments: Sequence[Fragment]) -> Iterator[list[Fragment]]:
    run: list[Fragment] = []
    size = 0
    for fragment in fragments:
        if run and size + fragment.size > TOGETHER:
            yield run
            run, size = [], 0
        run.append(fragment)
        size += fragment.size
    if run:
        yield run


def _decode(data: bytes) -> tuple[Points, Faces]:
    """Unpack a fragment, unless it says that it is of a size that it cannot be."""
    from teravox.pipeline.meshes.merging.draco import decode

    counts = count_packed(data)
    if counts is not None and max(counts) > FACES_OF_A_BYTE * len(data):
        raise ValueError(
            f"it has {len(data):,} bytes, and says that it has {counts[0]:,} vertices and {counts[1]:,} faces"
        )
    return decode(data)
