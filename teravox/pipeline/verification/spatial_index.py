"""Verifies the spatial indices of meshes and skeletons: that they cover the layer, and say what is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.sort import MESH, SORTS, Sort
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.images import choose
from teravox.pipeline.verification.object_compare import find_excess, find_lacking, labels_of, open_objects
from teravox.pipeline.verification.object_folder import INDEX, folder_of
from teravox.pipeline.verification.object_labels import LabelSet
from teravox.pipeline.verification.object_space import Space
from teravox.pipeline.verification.spatial_cell import Cell, parse_name, read_cell

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.verification.look import Look

MOST_READ = 4096  # cells that are read though only a sample is asked for, since the labels of all can be compared then


class IndexInfo(msgspec.Struct, frozen=True):
    """What the info of objects says of their index, in nanometres."""

    resolution: tuple[float, float, float]
    chunk_size: tuple[float, float, float]


class IndexedInfo(msgspec.Struct, frozen=True):
    """What the info of objects must say besides."""

    spatial_index: IndexInfo
    mip: int = 0


def find_spatial_indices(look: Look) -> Iterable[SpatialIndex]:
    """The indices that the folders of meshes and skeletons tell of."""
    for sort in SORTS:
        folder = folder_of(look, sort)
        if folder is None or look.layer is None:
            continue
        raw = _read_info(look, folder)
        if raw.get("spatial_index") is not None:
            yield SpatialIndex(look, look.layer, sort, folder, raw)


def _read_info(look: Look, folder: str) -> dict[str, Any]:  # Any: JSON
    try:
        raw: dict[str, Any] = msgspec.json.decode(look.store.get(f"{folder}/info") or b"{}", type=dict)
    except (BadInput, msgspec.DecodeError, UnicodeDecodeError):  # which whoever verifies the objects has told
        return {}
    return raw


class SpatialIndex:
    """The index of the objects in one folder."""

    def __init__(self, look: Look, layer: Layer, sort: Sort, folder: str, raw: dict[str, Any]) -> None:  # Any: JSON
        self.place = f"spatial index in {folder}"
        self._look = look
        self._layer = layer
        self._sort = sort
        self._folder = folder
        self._raw = raw

    def steps(self) -> int:
        grid = self._grid()
        return 0 if isinstance(grid, str) else len(grid)

    def findings(self) -> Iterator[Finding]:
        grid = self._grid()
        if isinstance(grid, str):
            yield Finding("invalid", f"{self._folder}/info", grid)
        elif not self._look.can_list:
            self._look.counts[f"not checked: the {self.place}, which a web server cannot list"] = 1
        else:
            yield from self._check(grid)

    def _grid(self) -> Grid | str:
        """The cells that there must be; a sentence where the info contradicts itself."""
        try:
            info = msgspec.convert(self._raw, IndexedInfo)
            scale = self._layer.scale(info.mip)
        except (msgspec.ValidationError, BadInput) as error:
            return f"its spatial index: {error}"
        sizes = zip(info.spatial_index.chunk_size, scale.resolution, strict=True)
        x, y, z = (round(size / nm) for size, nm in sizes)
        if min(x, y, z) < 1:
            return f"its spatial index has cells of {info.spatial_index.chunk_size} nm, which is less than a voxel"
        return Grid(scale.bounds, (x, y, z))

    def _check(self, grid: Grid) -> Iterator[Finding]:
        there, unlisted = self._list(grid)
        yield from unlisted
        missing = [number for number in range(len(grid)) if number not in there]
        for number in missing:
            why = f"the spatial index says nothing of the voxels {grid[number]} of mip {self._mip}"
            yield Finding("missing", self._key(grid[number]), why)
        space = Space.of(self._layer, self._raw)
        read = sorted(there)
        is_all = self._look.how.sample is None or len(read) <= MOST_READ
        chosen = read if is_all else [read[at] for at in choose(len(read), self._look, self._folder)]
        labels = LabelSet()
        is_whole = not missing
        cells = (Cell(there[number], self._nanometres(grid[number]), space.margin) for number in chosen)
        for found in side_by_side(lambda cell: read_cell(self._look.store, cell), cells):
            self._look.step(1)
            self._look.counts["cells of spatial indices"] += 1
            yield from found.findings
            labels.add(found.labels)
            is_whole = is_whole and not found.findings
        if is_all:
            yield from self._compare(labels, is_whole=is_whole)
        else:
            self._look.counts["not checked: the labels of a large spatial index, unless --all is given"] += 1

    def _compare(self, labels: LabelSet, *, is_whole: bool) -> Iterator[Finding]:
        """Whether the labels of the index have objects, and all objects are in the index."""
        try:
            source = open_objects(self._layer, self._sort, self._folder)
            have = labels_of(self._look, source)
        except BadInput:  # which whoever verifies the objects has told
            return
        if have is None:
            return
        said = "the spatial index"
        if is_whole:
            yield from find_excess(source, self._sort, labels.sorted(), have, said)
        if self._sort == MESH:  # skeletons are left out where they are short
            yield from find_lacking(self._look, source, self._sort, labels.sorted(), have, said)

    def _list(self, grid: Grid) -> tuple[dict[int, str], list[Finding]]:
        """The keys of the cells that are there, by their numbers; and those that belong to no cell."""
        there: dict[int, str] = {}
        unlisted = []
        for key in self._look.store.list(f"{self._folder}/"):
            if not key.endswith(INDEX):
                continue
            number = self._number(grid, key.removeprefix(f"{self._folder}/").removesuffix(INDEX))
            if number is None:
                unlisted.append(Finding("unlisted", key, "its name is not the box of a cell of the spatial index"))
            else:
                there[number] = key
        return there, unlisted

    def _number(self, grid: Grid, name: str) -> int | None:
        """Which cell a name is about; programs write the same numbers differently."""
        box = parse_name(name)
        if box is None:
            return None
        resolution = self._layer.scale(self._mip).resolution
        ends = [[n / nm for n, nm in zip(corner, resolution, strict=True)] for corner in box]
        x, y, z = (round((a - o) / s) for a, o, s in zip(ends[0], grid.bounds.min, grid.shape, strict=True))
        if not all(0 <= n < most for n, most in zip((x, y, z), grid.cells, strict=True)):
            return None
        cell = grid.box((x, y, z))
        is_near = all(
            abs(a - b) < 1
            for got, wanted in zip(ends, (cell.min, cell.max), strict=True)
            for a, b in zip(got, wanted, strict=True)
        )
        return x + grid.cells[0] * (y + grid.cells[1] * z) if is_near else None

    def _key(self, piece: Box) -> str:
        """The key of a cell as teravox names it."""
        from teravox.pipeline.objects.spatial import name_of

        return f"{self._folder}/{name_of(piece, self._layer.scale(self._mip).resolution)}"

    def _nanometres(self, piece: Box) -> tuple[tuple[float, ...], tuple[float, ...]]:
        resolution = self._layer.scale(self._mip).resolution
        low, high = (
            tuple(n * nm for n, nm in zip(corner, resolution, strict=True)) for corner in (piece.min, piece.max)
        )
        return low, high

    @property
    def _mip(self) -> int:
        return msgspec.convert(self._raw, IndexedInfo).mip
