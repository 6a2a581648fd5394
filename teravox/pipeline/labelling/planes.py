"""The three planes in which the page shows a volume, and the tiles that they are shown in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.layers.info import Scale

    Array = NDArray[Any]  # of the layer's data type

PlaneName = Literal["xy", "xz", "yz"]
TILE = 256  # voxels along each side


class Plane(NamedTuple):
    """The axes that lie along the columns and the rows of a picture, and the one that one scrolls through."""

    column: int
    row: int
    across: int


PLANES: dict[PlaneName, Plane] = {"xy": Plane(0, 1, 2), "xz": Plane(0, 2, 1), "yz": Plane(2, 1, 0)}


class Tile(NamedTuple):
    """A square of a slice: which plane, of which mip, how far across, and its place in the grid of tiles."""

    plane: PlaneName
    mip: int
    at: int  # in voxels of the mip, counted as the layer counts them
    column: int
    row: int

    def box(self, scale: Scale) -> Box:
        """Its voxels; BadInput where the mip has none there."""
        plane = PLANES[self.plane]
        low, high = [0, 0, 0], [0, 0, 0]
        for axis, cell in ((plane.column, self.column), (plane.row, self.row)):
            low[axis] = scale.bounds.min[axis] + cell * TILE
            high[axis] = low[axis] + TILE
        low[plane.across], high[plane.across] = self.at, self.at + 1
        box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).intersect(scale.bounds)
        if min(self.column, self.row) < 0 or box.is_empty:
            raise BadInput(f"there is no tile {self.column},{self.row} of slice {self.at} of {self.plane}")
        return box


def parse_tile(words: list[str]) -> Tile:
    """A tile as it stands in a path: plane, mip, place across, column, row; BadInput where it is none."""
    try:
        name, *numbers = words
        mip, at, column, row = map(int, numbers)
        return Tile(next(plane for plane in PLANES if plane == name), mip, at, column, row)
    except (ValueError, StopIteration):
        raise BadInput(f"{'/'.join(words)[:100]} names no tile") from None


def flatten(voxels: Array, name: PlaneName) -> Array:
    """The rows of a slice that is given as x, y and z, one voxel thick."""
    plane = PLANES[name]
    return voxels.transpose(plane.row, plane.column, plane.across)[:, :, 0]


def corner_of(plane: Plane, column: int, row: int, across: int) -> Vec:
    """A voxel of a plane by its x, y and z."""
    place = [0, 0, 0]
    place[plane.column], place[plane.row], place[plane.across] = column, row, across
    return (place[0], place[1], place[2])
