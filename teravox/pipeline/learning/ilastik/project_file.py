"""A project's file, read whole: it holds labels and a forest, and seldom an image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput, BadUsage

if TYPE_CHECKING:
    from teravox.kernels.learning.ilastik.labels import LabelBlock
    from teravox.kernels.learning.ilastik.project import Project


class ProjectFile:
    """An .ilp file; BadUsage where it cannot be read, BadInput where it is not what it should be."""

    def __init__(self, path: str) -> None:
        try:
            self._data = Path(path).read_bytes()
        except OSError as error:
            raise BadUsage(f"PROJECT: cannot read {path}: {error.strerror}") from None
        self.path = path

    def read(self, *, with_forest: bool = True) -> Project:
        """What it says; without its forest, one that cannot be read here does no harm."""
        from teravox.kernels.learning.ilastik.project import read_project

        try:
            return read_project(self._data, self.path, with_forest=with_forest)
        except ValueError as error:
            raise BadInput(str(error)) from None

    def labels(self, project: Project, lane: int) -> Iterator[LabelBlock]:
        """The labelled blocks of one of its images."""
        from teravox.kernels.learning.ilastik.project import read_lane_labels

        try:
            yield from read_lane_labels(self._data, project, lane)
        except ValueError as error:
            raise BadInput(str(error)) from None

    def labelled_lanes(self, project: Project) -> dict[int, int]:
        """By image with labels, how many voxels have one."""
        counts = {
            lane: sum(int((block.classes > 0).sum()) for block in self.labels(project, lane))
            for lane in range(len(project.lanes))
        }
        return {lane: count for lane, count in counts.items() if count}
