"""The features of the labelled voxels, so that after a stroke only those of new ones are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.box import Vec
from teravox.pipeline.labelling.feature_tiles import FeatureTiles
from teravox.pipeline.labelling.painting import Painting
from teravox.pipeline.labelling.sight import GoOn
from teravox.pipeline.learning.chosen import order_by_cells
from teravox.pipeline.learning.samples import CELL
from teravox.pipeline.learning.wish import USUAL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Features = NDArray[np.float32]  # a row for each feature, a column for each voxel
    Labels = NDArray[np.uint8]
    Places = NDArray[np.int64]  # a row of x, y, z for each voxel
    Array = NDArray[Any]

A_CHUNK = 4096  # labelled voxels of each class of a chunk that are learnt from
MOST = 20_000  # labelled voxels of each class that are
ENOUGH = 200_000  # voxels with features, beyond which only what is painted now is added


class _Chunk(NamedTuple):
    """The labelled voxels of a chunk whose features are known."""

    version: int
    indices: Array  # in the chunk, going up
    labels: Labels
    features: Features


class _Wanted(NamedTuple):
    """Labelled voxels of a chunk, and those of them without features."""

    indices: Array
    labels: Labels


class TrainingSet:
    """What there is to learn from; it catches up with the labels step by step, the newest first."""

    def __init__(self, tiles: FeatureTiles, painting: Painting) -> None:
        self._tiles = tiles
        self._painting = painting
        self._chunks: dict[Vec, _Chunk] = {}

    def behind(self) -> list[Vec]:
        """The chunks whose labels have changed since, the one that changed last first.

        Where there is enough to learn from, these are only chunks that this session has painted in.
        """
        there = {box.min for box in self._painting.all_chunks()}
        for gone in self._chunks.keys() - there:
            del self._chunks[gone]
        behind = [
            corner
            for corner in there
            if corner not in self._chunks or self._chunks[corner].version != self._painting.version_of(corner)
        ]
        if sum(len(chunk.indices) for chunk in self._chunks.values()) >= ENOUGH:
            behind = [corner for corner in behind if self._painting.version_of(corner)]
        return sorted(behind, key=lambda corner: (-self._painting.version_of(corner), corner[::-1]))

    def catch_up(self, place: Vec, go_on: GoOn) -> bool:
        """Compute what the chunk at a corner lacks; False where it was told not to go on, and so has not."""
        corner = place
        import numpy as np

        version, wanted = self._painting.version_of(corner), self._wanted(corner)
        old = self._chunks.get(corner)
        count = self._tiles.selection.columns(self._tiles.channels)
        features = np.empty((count, len(wanted.indices)), np.float32)
        known = np.zeros(len(wanted.indices), bool)
        if old is not None and len(old.indices):
            at = np.searchsorted(old.indices, wanted.indices).clip(max=len(old.indices) - 1)
            known = old.indices[at] == wanted.indices
            features[:, known] = old.features[:, at[known]]
        new = np.flatnonzero(~known)
        if len(new):
            places = self._places(corner, wanted.indices[new])
            for tile, which in self._tiles.tiles_of(places).items():
                if not go_on(self._tiles.knows(tile)):
                    return False
                features[:, new[which]] = self._tiles.at(tile, places[which])
        self._chunks[corner] = _Chunk(version, wanted.indices, wanted.labels, features)
        return True

    def samples(self) -> tuple[Features, Labels]:
        """Features and labels of what is known, at most so many of each class, in the order of `learn train`."""
        import numpy as np

        if not self._chunks:
            return np.zeros((0, 0), np.float32), np.zeros(0, np.uint8)
        places = np.concatenate([self._places(corner, chunk.indices) for corner, chunk in self._chunks.items()])
        labels = np.concatenate([chunk.labels for chunk in self._chunks.values()])
        features = np.concatenate([chunk.features for chunk in self._chunks.values()], axis=1)
        chosen = _choose(labels, places, MOST)
        chosen = chosen[order_by_cells(places[chosen], CELL)]
        return np.ascontiguousarray(features[:, chosen]), labels[chosen]

    def _wanted(self, corner: Vec) -> _Wanted:
        import numpy as np

        labels = self._painting.chunk_at(corner).reshape(-1, order="F")
        indices = np.flatnonzero(labels)
        indices = indices[_choose(labels[indices], self._places(corner, indices), A_CHUNK)]
        return _Wanted(indices, labels[indices])

    def _places(self, corner: Vec, indices: Array) -> Places:
        """Where voxels of a chunk lie in the volume."""
        import numpy as np

        size = self._painting.size_of(corner)
        return np.stack(np.unravel_index(indices, size, order="F"), axis=1) + np.array(corner, np.int64)


def _choose(labels: Labels, places: Places, most: int) -> Array:
    """Which voxels to take, at most so many of each class: by lots that their places draw, so that most stay when some are added."""
    import numpy as np

    from teravox.kernels.learning.chance import draw_lots

    if np.bincount(labels).max(initial=0) <= most:
        return np.arange(len(labels))
    lots = draw_lots(places, USUAL.seed)
    chosen = []
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        chosen.append(of_class[np.argsort(lots[of_class], kind="stable")[:most]])
    return np.sort(np.concatenate(chosen))
