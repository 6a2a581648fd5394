"""The voxels that skeletons are held to: whether vertices are inside, in the middle, and of every connected part."""

from __future__ import annotations

from typing import Any, NamedTuple

import cc3d
import numpy as np
from numpy.typing import NDArray
from skeletons.quality import Floats, Integers, Resolution, Skeleton, Vec, components_of


class Parts(NamedTuple):
    """What became of the large connected parts of one label."""

    whole: int  # have one connected skeleton
    broken: int  # have several that do not touch
    bare: int  # have none


class Tissue:
    """Labels of x, y, z with their connected parts (26 neighbours) and how far each voxel is from another label."""

    def __init__(self, voxels: NDArray[Any], resolution: Resolution, offset: Vec = (0, 0, 0)) -> None:
        import edt

        self.names, numbers = np.unique(voxels, return_inverse=True)
        self.numbers = np.asfortranarray(numbers.reshape(voxels.shape).astype(np.uint32))
        if self.names[0] != 0:  # all numbers of labels are above 0, as edt and cc3d have it
            self.names = np.concatenate([np.zeros(1, self.names.dtype), self.names])
            self.numbers += np.uint32(1)
        self.resolution = np.array(resolution, float)
        self.offset = np.array(offset)
        # Whether the edge of a volume is a border changes no comparison of two skeletons of it.
        self.distances: NDArray[np.float32] = edt.edt(self.numbers, anisotropy=tuple(resolution), black_border=False)
        self.parts: NDArray[np.integer[Any]] = cc3d.connected_components(self.numbers, connectivity=26)
        self.part_sizes = np.bincount(self.parts.ravel(order="K"))
        self._part_numbers = np.zeros(len(self.part_sizes), np.uint32)
        self._part_numbers[self.parts.ravel(order="K")] = self.numbers.ravel(order="K")
        self.sizes = np.bincount(self.numbers.ravel(order="K"))

    @property
    def labels(self) -> list[int]:
        return [int(name) for name in self.names.tolist() if name]

    def size_of(self, label: int) -> int:
        """How many voxels it has."""
        return int(self.sizes[self._number(label)])

    def places(self, skeleton: Skeleton) -> Integers:
        """The voxels that vertices lie in, as indices of the array."""
        # Floats of 32 bits lose a bit far from the origin, where a vertex is in the middle of its voxel.
        found: Integers = np.floor(skeleton.vertices / self.resolution + 1e-6).astype(np.int64) - self.offset
        return found

    def from_middle(self, skeleton: Skeleton) -> float:
        """How far a vertex is from the middle of its voxel at most, in voxels."""
        exact = skeleton.vertices / self.resolution - self.offset - 0.5
        return float(np.abs(exact - self.places(skeleton)).max(initial=0))

    def inside(self, label: int, skeleton: Skeleton) -> NDArray[np.bool_]:
        """Of each vertex, whether its voxel is of the label."""
        places = self.places(skeleton)
        within: NDArray[np.bool_] = np.all((places >= 0) & (places < self.numbers.shape), axis=1)
        clipped = np.where(within[:, None], places, 0)
        same: NDArray[np.bool_] = np.asarray(self.numbers[tuple(clipped.T)] == self._number(label))
        return same & within

    def parts_of(self, label: int, skeleton: Skeleton | None, least: int) -> Parts:
        """What became of those connected parts of a label that have more voxels than this."""
        mine = np.flatnonzero(self._part_numbers == self._number(label))
        large = mine[self.part_sizes[mine] > least]
        if skeleton is None or not len(skeleton.vertices):
            return Parts(0, 0, len(large))
        inside = self.inside(label, skeleton)
        of_voxels = self.parts[tuple(self.places(skeleton)[inside].T)]
        pairs = np.unique(np.stack([of_voxels.astype(np.int64), components_of(skeleton)[1][inside]], 1), axis=0)
        counts = (pairs[:, 0][:, None] == large).sum(axis=0)
        return Parts(int((counts == 1).sum()), int((counts > 1).sum()), int((counts == 0).sum()))

    def centredness(self, label: int, skeleton: Skeleton, within: float) -> Floats:
        """Of each vertex inside, its distance to the boundary by the largest in a ball of these nanometres around it."""
        places = self.places(skeleton)[self.inside(label, skeleton)]
        reach = (within / self.resolution).astype(int)
        ball = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), -1).reshape(-1, 3)
        ball = ball[((ball * self.resolution) ** 2).sum(axis=1) <= within**2]
        here = self.distances[tuple(places.T)].astype(np.float64)
        best = here.copy()
        for step in ball:
            around = places + step
            valid = ((around >= 0) & (around < self.numbers.shape)).all(axis=1)
            at = tuple(np.where(valid[:, None], around, places).T)
            same = self.numbers[at] == self._number(label)
            np.maximum(best, np.where(same, self.distances[at], 0), out=best)
        found: Floats = np.where(np.isfinite(best), here / best, 1)
        return found

    def _number(self, label: int) -> int:
        number = int(np.searchsorted(self.names, np.array(label, self.names.dtype)))
        if self.names[number] != label:
            raise ValueError(f"the volume has no label {label}")
        return number
