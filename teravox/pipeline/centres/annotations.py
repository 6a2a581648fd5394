"""Centres as a layer of points beside the layer of objects: each slab writes its own cells and its own shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from teravox.pipeline.annotations.info import AnnotationInfo, ById, Level, Property, dimensions_of
from teravox.pipeline.annotations.points import number_points, pack_cell, pack_shard, sharding_of
from teravox.pipeline.box import Box
from teravox.pipeline.centres.options import plane_of
from teravox.pipeline.centres.plan import Plan
from teravox.pipeline.centres.table import REMEDY, folder_of
from teravox.pipeline.evaluation.json_files import get_json, put_json
from teravox.pipeline.storage.folders import remove_empty_folders
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.label_tables.parquet import Columns

    Array = NDArray[Any]  # of numbers

OVERVIEW = 1000  # centres of a slab that are shown from afar, drawn of all
CELL = 512  # voxels along the rows and columns of a slice, about
MOST_CELLS = 64  # along either


class Fullest(msgspec.Struct, frozen=True):
    """How many centres the fullest cell of a slab has, by level."""

    overview: int
    all: int


class CentreLayer(NamedTuple):
    """A layer of points that is being made; `name` is that of the job, and stands in all of its keys."""

    name: str
    plan: Plan

    @property
    def folder(self) -> str:
        """Where it lies within the layer of objects, beside the table."""
        return points_folder(self.plan)

    @property
    def store(self) -> Store:
        return self.plan.layer.store

    @property
    def cells(self) -> tuple[int, int]:
        """How many cells there are along the columns and rows of a slice."""
        column, row = (min(MOST_CELLS, -(-size // CELL)) for size in self._plane)
        return column, row

    @property
    def cell(self) -> tuple[int, int]:
        """The size of a cell; together they reach a little beyond the slice, since readers divide the bounds by it."""
        column, row = (-(-size // number) for size, number in zip(self._plane, self.cells, strict=True))
        return column, row

    def keys(self, slab: Box) -> list[str]:
        """All that a slab leaves: its overview, its cells, its shard, and how full the cells are."""
        number = self.plan.index(slab)
        shard = sharding_of(len(self.plan.slabs)).file_name(number)
        return [
            self._key("overview", number, 0, 0),
            *(
                self._key("cells", number, column, row)
                for row in range(self.cells[1])
                for column in range(self.cells[0])
            ),
            f"{self.folder}/{self.name}/by_id/{shard}",
            f"{self.folder}/{self.name}/fullest/{number:06d}.json",
        ]

    def write(self, slab: Box, found: Columns) -> None:
        """Write the centres of a slab."""
        import numpy as np

        overview, *cells, shard, fullest = self.keys(slab)
        points, ids = self._points(found), number_points(self.plan.index(slab), len(found["label"]))
        drawn = np.random.default_rng(self.plan.index(slab)).permutation(
            len(ids)
        )  # a client may show the first ones only
        points, ids = points[drawn], ids[drawn]
        files = {overview: pack_cell(points[:OVERVIEW], ids[:OVERVIEW])}
        rest, names = points[OVERVIEW:], ids[OVERVIEW:]
        counts = np.bincount(places := self._cells_of(rest), minlength=len(cells))
        order, ends = np.argsort(places, kind="stable"), np.cumsum(counts)
        for key, count, end in zip(cells, counts.tolist(), ends.tolist(), strict=True):
            here = order[end - count : end]
            files[key] = pack_cell(rest[here], names[here])
        self.store.put_many(files)
        self.store.put(shard, pack_shard(points, ids, sharding_of(len(self.plan.slabs))))
        put_json(self.store, fullest, Fullest(min(OVERVIEW, len(ids)), int(counts.max(initial=0))))

    def complete(self) -> None:
        """Make it a layer, and remove what is left of the one before."""
        slabs = self.plan.slabs
        counted = side_by_side(lambda slab: get_json(self.store, self.keys(slab)[-1], Fullest, REMEDY), slabs)
        overview, cells = (max(1, *most) for most in zip(*((one.overview, one.all) for one in counted), strict=True))
        fine = self._level("cells", self.cells, self.cell, cells)
        whole = (self.cells[0] * self.cell[0], self.cells[1] * self.cell[1])
        low = self._in_space(slabs.bounds.min[self.plan.along], self._corner)
        x, y, z = (a + n * size for a, n, size in zip(low, fine.grid_shape, fine.chunk_size, strict=True))
        info = AnnotationInfo(
            dimensions=dimensions_of(self.plan.layer.scale(self.plan.mip).resolution),
            lower_bound=_floats(low),
            upper_bound=(x, y, z),
            properties=tuple(
                Property(id=name, type="uint32", description=text) for name, text in self._properties.items()
            ),
            by_id=ById(key=f"{self.name}/by_id", sharding=sharding_of(len(slabs)).as_json()),
            spatial=(self._level("overview", (1, 1), whole, overview), fine),
        )
        data = msgspec.json.format(msgspec.json.encode(info), indent=1)
        self.store.put(f"{self.folder}/info", data, content_type="application/json")
        kept = (f"{self.folder}/info", f"{self.folder}/{self.name}/")
        self.store.delete([key for key in self.store.list(f"{self.folder}/") if not key.startswith(kept)])
        remove_empty_folders(self.store, self.folder)

    @property
    def _corner(self) -> tuple[int, int]:
        column, row = plane_of(self.plan.axis)
        return self.plan.box.min[column], self.plan.box.min[row]

    @property
    def _plane(self) -> tuple[int, int]:
        column, row = plane_of(self.plan.axis)
        return self.plan.box.size[column], self.plan.box.size[row]

    def _key(self, level: str, number: int, column: int, row: int) -> str:
        x, y, z = self._in_space(number, (column, row))
        return f"{self.folder}/{self.name}/{level}/{x}_{y}_{z}"

    def _in_space(self, along: int, plane: tuple[int, int]) -> tuple[int, int, int]:
        """Numbers along the slices and within them, as x, y and z."""
        column, row = plane_of(self.plan.axis)
        by_axis = {self.plan.along: along, column: plane[0], row: plane[1]}
        return by_axis[0], by_axis[1], by_axis[2]

    def _level(self, key: str, cells: tuple[int, int], size: tuple[int, int], limit: int) -> Level:
        thick = self.plan.slabs.shape[self.plan.along]
        return Level(
            key=f"{self.name}/{key}",
            grid_shape=self._in_space(len(self.plan.slabs), cells),
            chunk_size=_floats(self._in_space(thick, size)),
            limit=limit,
        )

    @property
    def _properties(self) -> dict[str, str]:
        """The numbers of a centre: a label of 64 bits is more than one of them can hold."""
        upper = {"label_upper": "The upper 32 bits of the label."} if self.plan.layer.info.itemsize > 4 else {}
        return {"label": "The label, or its lower 32 bits.", **upper, "area": "Voxels in the slice."}

    def _points(self, found: Columns) -> Array:
        """Records as the files hold them; a place is counted from the side of the first voxel, not from its middle."""
        import numpy as np

        points = np.zeros(len(found["label"]), [("place", "<f4", 3), *((name, "<u4") for name in self._properties)])
        for at, axis in enumerate("xyz"):
            points["place"][:, at] = found[axis] + 0.5
        points["label"] = found["label"] & np.uint64(0xFFFFFFFF)
        points["area"] = np.minimum(found["area"], np.uint64(0xFFFFFFFF))
        if "label_upper" in self._properties:
            points["label_upper"] = found["label"] >> np.uint64(32)
        return points

    def _cells_of(self, points: Array) -> Array:
        """The number of the cell of each point, columns first."""
        import numpy as np

        inside = [
            ((points["place"][:, axis] - corner) // size).astype(np.int64)
            for axis, corner, size in zip(plane_of(self.plan.axis), self._corner, self.cell, strict=True)
        ]
        places: Array = inside[0] + self.cells[0] * inside[1]
        return places


def points_folder(plan: Plan) -> str:
    """Where the points of a mip lie, within its layer."""
    return f"{folder_of(plan.layer.scale(plan.mip), plan.axis)}/points"


def _floats(numbers: tuple[int, int, int]) -> tuple[float, float, float]:
    x, y, z = map(float, numbers)
    return x, y, z
