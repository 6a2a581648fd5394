"""The info file of a layer of annotations, and layers that have one.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/annotations.md
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Store

TYPE: Final = "neuroglancer_annotations_v1"
NANOMETRES = 1e9  # of a metre
Resolution = tuple[float, float, float]
Place = tuple[float, float, float]
Json = dict[str, Any]  # JSON may hold anything


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """A number that each annotation has."""

    id: str
    type: Literal["uint32", "int32", "float32"]
    description: str


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A grid of cells, each a file with the annotations that lie in it; none has more than `limit`."""

    key: str
    grid_shape: tuple[int, int, int]
    chunk_size: tuple[float, float, float]
    limit: int


class ById(msgspec.Struct, frozen=True, kw_only=True):
    """Where each annotation is found by its id."""

    key: str
    sharding: Json


class AnnotationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What an info file says of points, from the coarsest level to the finest; each point is in one of them."""

    type: Literal["neuroglancer_annotations_v1"] = msgspec.field(name="@type", default=TYPE)
    dimensions: dict[str, tuple[float, str]]
    lower_bound: Place
    upper_bound: Place
    annotation_type: Literal["POINT"] = "POINT"
    properties: tuple[Property, ...]
    relationships: tuple[Json, ...] = ()
    by_id: ById
    spatial: tuple[Level, ...]


class _Read(msgspec.Struct, frozen=True):
    """What is asked of the info of any program's annotations."""

    type: Literal["neuroglancer_annotations_v1"] = msgspec.field(name="@type")
    dimensions: dict[str, tuple[float, str]]
    lower_bound: Place
    upper_bound: Place


class Annotations(msgspec.Struct, frozen=True):
    """A layer of annotations in space."""

    url: str
    resolution: Resolution  # nanometres
    low: Place  # in steps of the resolution
    high: Place

    @property
    def store(self) -> Store:
        return open_store(self.url)


def dimensions_of(resolution: Resolution) -> dict[str, tuple[float, str]]:
    """The axes as an info file has them."""
    return {axis: (step / NANOMETRES, "m") for axis, step in zip("xyz", resolution, strict=True)}


def find_annotations(url: str) -> Annotations | None:
    """The layer of annotations at a place; None where there is something else. BadInput where it is none in space."""
    store = open_store(url)
    data = store.get("info")
    if data is None or not _is_of_annotations(data):
        return None
    try:
        said = msgspec.json.decode(data, type=_Read)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{store.url}/info is no layer of annotations in space: {error}") from None
    steps = [said.dimensions.get(axis, (0.0, "")) for axis in "xyz"]
    if len(said.dimensions) != len(steps) or any(unit != "m" or not step > 0 for step, unit in steps):
        raise BadInput(f"{store.url}/info is no layer of annotations in space: its axes are not x, y and z in metres")
    x, y, z = (step * NANOMETRES for step, _ in steps)
    return Annotations(store.url, (x, y, z), said.lower_bound, said.upper_bound)


def _is_of_annotations(info: bytes) -> bool:
    try:
        said = msgspec.json.decode(info)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(said, dict) and said.get("@type") == TYPE
