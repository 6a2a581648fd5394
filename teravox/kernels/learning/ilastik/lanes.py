"""The images that a project was trained on, as it tells of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from teravox.kernels.learning.ilastik.hdf5 import Hdf5, children, find, numbers, text

LETTERS = frozenset("tczyx")


@dataclass(frozen=True)
class Lane:
    """One image: the letters of its axes, its size where the project tells it, and where its voxels are."""

    axes: str
    shape: tuple[int, ...] | None
    inside: str | None  # the data set of the project that holds it
    path: str | None  # or the file that did; with the data set behind it, if that is in HDF5

    def size(self, letter: str) -> int | None:
        """How long an axis is; 1 for one that there is not, None where nobody can say."""
        if letter not in self.axes:
            return 1
        return None if self.shape is None else self.shape[self.axes.index(letter)]

    @property
    def is_flat(self) -> bool:
        """Whether it has one slice only."""
        return self.size("z") == 1


def read_lanes(file: Hdf5) -> tuple[Lane, ...]:
    """The images of a project, in the order of its labels."""
    lanes = []
    for name, _ in children(file, "Input Data/infos", "lane"):
        info = find(file, f"Input Data/infos/{name}/Raw Data")
        if info is not None:
            lanes.append(_read_lane(file, info))
    return tuple(lanes)


def axes_of(tags: str | None) -> str:
    """The letters of axes out of vigra's JSON about them; empty where it says none."""
    try:
        letters = [axis["key"] for axis in json.loads(tags or "")["axes"]]
    except (ValueError, TypeError, KeyError):
        return ""
    known = all(isinstance(letter, str) and letter in LETTERS for letter in letters)
    return "".join(letters) if known and len(set(letters)) == len(letters) and {"x", "y"} <= set(letters) else ""


def _read_lane(file: Hdf5, info: Hdf5) -> Lane:
    axes = axes_of(text(info, "axistags")) or text(info, "axisorder") or ""
    if not {"x", "y"} <= set(axes) <= LETTERS or len(set(axes)) < len(axes):
        raise ValueError("an image does not name its axes, which are x, y, and some of z, c and t")
    inside, data = None, None
    if text(info, "location") == "ProjectInternal":
        inside = f"Input Data/local_data/{text(info, 'datasetId')}"
        data = find(file, inside)
    shape = None
    if find(info, "shape") is not None:
        shape = tuple(int(n) for n in numbers(info, "shape", 1, "iu"))
    elif data is not None:
        shape = tuple(int(n) for n in data.shape)
    if shape is not None and (len(shape) != len(axes) or min(shape, default=1) < 1):
        raise ValueError(f"an image has the axes {axes}, but the size {'x'.join(map(str, shape))}")
    return Lane(axes, shape, inside if data is not None else None, None if inside else text(info, "filePath"))
