"""A trained classifier, and all that is needed to use it: features, classes, trees, and how it was trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from teravox.kernels.learning.classes import Class, check_classes
from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.pooling import STATISTICS
from teravox.kernels.learning.selection import Selection
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx

Unit = Literal["voxels", "supervoxels"]
Json = Any  # JSON may hold anything

MOST_CHANNELS = 1024  # of an image


@dataclass(frozen=True)
class Model:
    """A classifier of voxels, or of supervoxels."""

    unit: Unit
    classes: tuple[Class, ...]
    selection: Selection
    channels: int  # of the image
    resolution: Zyx | None  # nanometres; None where sigmas count in voxels along every axis, whatever their size
    forest: Forest
    supervoxels: dict[str, Json] | None = None  # how they are made
    record: dict[str, Json] = field(default_factory=dict)  # how it was trained

    @property
    def scale(self) -> Zyx:
        """The voxel size that features are computed for."""
        return ISOTROPIC if self.resolution is None else self.resolution

    @property
    def columns(self) -> int:
        """How many numbers the forest is given of a voxel or supervoxel."""
        pooled = len(STATISTICS) if self.unit == "supervoxels" else 1
        return self.selection.columns(self.channels) * pooled

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes."""
        return tuple(one.name for one in self.classes)

    def check(self) -> None:
        """Refuse a model whose parts do not fit together: ValueError with what is wrong."""
        check_classes(self.classes)
        if len(self.classes) < 2 or len(self.classes) != self.forest.classes:
            raise ValueError(f"it has {len(self.classes)} classes, and its forest tells {self.forest.classes} apart")
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise ValueError(f"it is made for images of {self.channels} channels")
        if self.forest.features != self.columns:
            raise ValueError(f"its forest takes {self.forest.features} features, and {self.columns} are computed")
        if self.resolution is not None and not all(0 < side < 1e12 for side in self.resolution):
            raise ValueError(f"it is made for voxels of {self.resolution} nm")
        if (self.unit == "supervoxels") != (self.supervoxels is not None):
            raise ValueError("it must say how supervoxels are made if it is of these, and only then")
        if self.supervoxels is not None:
            from teravox.kernels.learning.slic_tiles import Supervoxels

            Supervoxels.from_json(self.supervoxels)
        self.forest.check()


def read_model(path: str | Path) -> Model:
    """The model of a file, our own or a project of ilastik; ValueError with a sentence where it holds none."""
    return model_from_bytes(Path(path).read_bytes(), str(path))


def write_model(path: str | Path, model: Model) -> None:
    """Write a model to a file."""
    Path(path).write_bytes(model_to_bytes(model))


def model_to_bytes(model: Model) -> bytes:
    """A model as a file holds it: the same bytes for equal models."""
    from teravox.kernels.learning.model_file import pack

    return pack(model)


def model_from_bytes(data: bytes, name: str) -> Model:
    """The model that a file of this name holds; ValueError with a sentence where it holds none."""
    if data.startswith(b"\x89HDF"):
        from teravox.kernels.learning.ilastik.model import model_of_project

        return model_of_project(data, name)
    from teravox.kernels.learning.model_file import unpack

    return unpack(data, name)
