"""The labelled supervoxels and what they are like, so that after a stroke only those of new ones are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.labelling.painting import Painting
from teravox.pipeline.labelling.sight import GoOn
from teravox.pipeline.labelling.supervoxel_regions import SupervoxelRegions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Features = NDArray[np.float32]  # a row for each feature, a column for each supervoxel
    Labels = NDArray[np.uint8]

ENOUGH = 50_000  # supervoxels, beyond which only what is painted now is added


class _Cube(NamedTuple):
    """The labelled supervoxels of one tile of them."""

    version: int
    labels: Labels
    features: Features


class SupervoxelSet:
    """What there is to learn from: each supervoxel with a label, by the class that most of its voxels have."""

    def __init__(self, regions: SupervoxelRegions, painting: Painting) -> None:
        self._regions = regions
        self._painting = painting
        self._cubes_of_chunk: dict[Vec, tuple[int, dict[Vec, Box]]] = {}
        self._known: dict[Vec, _Cube] = {}
        self._cubes: dict[Vec, Box] = {}

    def behind(self) -> list[Vec]:
        """The tiles of supervoxels whose labels have changed since, the one that changed last first."""
        self._find_cubes()
        for gone in self._known.keys() - self._cubes.keys():
            del self._known[gone]
        versions = {corner: self._version_of(box) for corner, box in self._cubes.items()}
        behind = [
            corner
            for corner, version in versions.items()
            if corner not in self._known or self._known[corner].version != version
        ]
        if sum(len(cube.labels) for cube in self._known.values()) >= ENOUGH:
            behind = [corner for corner in behind if versions[corner]]
        return sorted(behind, key=lambda corner: (-versions[corner], corner[::-1]))

    def catch_up(self, place: Vec, go_on: GoOn) -> bool:
        """Find the labelled supervoxels of a tile of them; False where it was told not to go on, and so has not."""
        import numpy as np

        from teravox.kernels.learning.votes import count_votes

        box = self._cubes[place]
        if not go_on(self._regions.knows(box)):
            return False
        version = self._version_of(box)
        region = self._regions.of(box)
        said = np.ascontiguousarray(self._painting.read(box).T)
        classes = len(self._painting.labels.classes)
        votes = count_votes(region.part(box), region.features.shape[1], said, classes)
        self._known[place] = _Cube(
            version, (votes.classes + 1).astype(np.uint8), np.ascontiguousarray(region.features[:, votes.places])
        )
        return True

    def samples(self) -> tuple[Features, Labels]:
        """What is known, in the order of `learn train`."""
        import numpy as np

        cubes = [self._known[corner] for corner in sorted(self._known, key=lambda corner: corner[::-1])]
        if not cubes:
            return np.zeros((0, 0), np.float32), np.zeros(0, np.uint8)
        features = np.concatenate([cube.features for cube in cubes], axis=1)
        return np.ascontiguousarray(features), np.concatenate([cube.labels for cube in cubes])

    def _find_cubes(self) -> None:
        """Look where there are labels, in the chunks that have changed."""
        import numpy as np

        chunks = {box.min: box for box in self._painting.all_chunks()}
        for gone in self._cubes_of_chunk.keys() - chunks.keys():
            del self._cubes_of_chunk[gone]
        for corner in chunks:
            version = self._painting.version_of(corner)
            if self._cubes_of_chunk.get(corner, (-1, {}))[0] == version:
                continue
            places = np.argwhere(self._painting.chunk_at(corner)) + np.array(corner)
            first = places // np.array(self._regions.side) * np.array(self._regions.side)
            found = {}
            for x, y, z in np.unique(np.maximum(first, np.array(self._regions.bounds.min)), axis=0).tolist():
                found[x, y, z] = self._regions.cube_of((x, y, z))
            self._cubes_of_chunk[corner] = version, found
        self._cubes = {corner: box for _, cubes in self._cubes_of_chunk.values() for corner, box in cubes.items()}

    def _version_of(self, box: Box) -> int:
        return max((self._painting.version_of(chunk.min) for chunk in self._painting.chunks_in(box)), default=0)
