"""Zarr 2, Zarr 3, OME-Zarr and N5, on disk and in buckets; TensorStore decodes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources.axes import letters_of, usual_axes
from teravox.pipeline.sources.key_value_stores import key_value_store
from teravox.pipeline.sources.n5 import known_of
from teravox.pipeline.sources.ome_zarr import choose_level
from teravox.pipeline.sources.source import Choice, Known, Part, Source, bytes_of
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.side_by_side import LANES, LOCAL_LANES
from teravox.pipeline.storage.tally import TALLY
from teravox.pipeline.storage.urls import is_local

if TYPE_CHECKING:
    from tensorstore import TensorStore

    from teravox.pipeline.sources.source import Array
    from teravox.pipeline.store import Store

Json = dict[str, Any]  # JSON may hold anything
Driver = Literal["zarr", "zarr3", "n5"]

ARRAYS = {"zarr": ".zarray", "zarr3": "zarr.json", "n5": "attributes.json"}
LISTED = 30  # arrays that an error names
LOOKED_AT = 10_000  # folders below a group that are looked at for arrays


class ZarrSource(Source):
    """An array in chunks; each thread reads some of them."""

    def __init__(self, place: str, array: TensorStore, said: str, known: Known, lanes: int) -> None:
        self.place = place
        self._array = array
        self.shape = tuple(array.shape)
        self.dtype = array.dtype.numpy_dtype
        chunk = array.chunk_layout.read_chunk.shape
        self.block = tuple(int(c or n) for c, n in zip(chunk or self.shape, self.shape, strict=True))
        self.order = "F" if array.spec().to_json()["driver"] == "n5" else "C"
        self.axes = said or usual_axes(len(self.shape), self.order)
        self.axes_are_said = bool(said)
        self.known = known
        self.lanes = lanes

    def read(self, part: Part) -> Array:
        try:
            found: Array = self._array[part].read(order="F" if self.order == "F" else "C").result()
        except (ValueError, OSError, RuntimeError) as error:
            raise BadInput(f"{self.place} cannot be read: {_first_line(error)}") from None
        TALLY.read(found.nbytes)
        return found

    def lane_bytes(self) -> int:
        return self.turn + 2 * bytes_of(self.block, self.dtype)  # chunks as they are packed, and those being unpacked


def open_zarr(url: str, choice: Choice) -> ZarrSource:
    """An array, or one level of an OME-Zarr or N5 pyramid."""
    folder = f"{url}/{choice.dataset.strip('/')}" if choice.dataset else url
    store = open_store(folder)
    driver = _driver_of(store)
    if driver is not None:
        return _open_array(folder, driver, store, Known(), "", choice.mip)
    attributes = _attributes(store)
    level = choose_level(attributes, choice.mip, folder)
    if level is not None:
        if ".." in level.path.split("/"):
            raise BadInput(f"{folder} says that its level {choice.mip} is at {level.path}, which is not within it")
        inner = open_store(f"{folder}/{level.path}")
        driver = _driver_of(inner)
        if driver is None:
            raise BadInput(f"{folder} says that its level {choice.mip} is at {level.path}, and there is none")
        array = _open_array(inner.url, driver, inner, level.known, "", 0)
        said = letters_of(level.axes, len(array.shape))
        if said:
            array.axes, array.axes_are_said = said, True
        return array
    inner = open_store(f"{folder}/s{choice.mip}")
    if _driver_of(inner) == "n5":
        return _open_array(inner.url, "n5", inner, Known(), "", 0, group=attributes)
    if choice.dataset is not None and not attributes and not _has_group(store):
        raise BadUsage(f"--dataset: there is no array or image {choice.dataset} in {url}{_say_arrays(url)}")
    raise BadUsage(
        f"--dataset: {folder} is a group, and not an image: choose an array or an image in it{_say_arrays(url)}"
    )


def is_zarr(store: Store) -> bool:
    """Whether there is an array or a group of Zarr or N5."""
    return any(store.exists([*ARRAYS.values(), ".zgroup", ".zattrs"]).values())


def _open_array(
    url: str, driver: Driver, store: Store, known: Known, said: str, mip: int, group: Json | None = None
) -> ZarrSource:
    import tensorstore

    if mip:
        raise BadUsage(f"--mip: {url} is a single array, without levels; leave it out")
    lanes = LOCAL_LANES if is_local(url) else LANES
    spec = {"driver": driver, "kvstore": key_value_store(url)}
    context = tensorstore.Context({"cache_pool": {"total_bytes_limit": 0}, "data_copy_concurrency": {"limit": lanes}})
    try:
        array = tensorstore.open(spec, read=True, open=True, context=context).result()
    except (ValueError, OSError, RuntimeError, NotImplementedError) as error:
        raise BadInput(f"{url} cannot be opened: {_first_line(error)}") from None
    attributes = _attributes(store)
    dimensions = len(array.shape)
    if driver == "n5":
        known = known_of(group or {}, attributes, dimensions)
        said = letters_of(attributes.get("axes"), dimensions)
    elif not said:
        names = [*array.domain.labels] if driver == "zarr3" else attributes.get("_ARRAY_DIMENSIONS")
        said = letters_of(names, dimensions)
    return ZarrSource(url.removeprefix("file://"), array, said, known, lanes)


def _driver_of(store: Store) -> Driver | None:
    """What reads the array at a place; None if there is no array."""
    if store.exists([".zarray"])[".zarray"]:
        return "zarr"
    if _json(store, "zarr.json").get("node_type") == "array":
        return "zarr3"
    return "n5" if "dimensions" in _json(store, "attributes.json") else None


def _attributes(store: Store) -> Json:
    """The attributes of a group or an array, wherever its format keeps them."""
    inside = _json(store, "zarr.json").get("attributes")
    return inside if isinstance(inside, dict) else _json(store, ".zattrs") or _json(store, "attributes.json")


def _has_group(store: Store) -> bool:
    return any(store.exists([".zgroup", "zarr.json", "attributes.json"]).values())


def _json(store: Store, key: str) -> Json:
    data = store.get(key)
    if data is None:
        return {}
    try:
        return msgspec.json.decode(data, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{store.url}/{key} is not JSON: {error}") from None


def _say_arrays(url: str) -> str:
    """The end of a sentence about a group: which arrays there are below it, as far as one can see."""
    if not url.startswith("file://"):
        return ""
    root = Path(url.removeprefix("file://"))
    names = sorted(str(folder.relative_to(root)) for folder in _folders(root) if _driver_of(open_store(str(folder))))
    if not names:
        return ". There is no array in it"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f". It has {', '.join(names[:LISTED])}{more}"


def _folders(root: Path) -> Iterator[Path]:
    """Folders of groups and arrays; what lies within an array are chunks."""
    waiting, seen = [root], 0
    while waiting and seen < LOOKED_AT:
        folder = waiting.pop(0)
        seen += 1
        yield folder
        if _driver_of(open_store(str(folder))) is None:
            waiting += sorted(inner for inner in folder.iterdir() if inner.is_dir())


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0][:500]
