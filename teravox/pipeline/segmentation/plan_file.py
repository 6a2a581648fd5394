"""How a layer was cut into blocks, in a file beside them: what stitching needs to know, and what was asked for."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.segmentation.numbers import Run
from teravox.pipeline.store import Store

FOLDER = "blocks"  # within DEST
CURRENT = f"{FOLDER}/current.json"
REMEDY = "run `teravox segment` again with the same options"

Json = dict[str, Any]  # JSON may hold anything
T = TypeVar("T")


class PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    """The blocks of a segmentation; the same for ever under its id."""

    source: str
    mip: int  # of the source
    bounds: Box
    shape: Vec
    halo: Vec
    chunk: Vec  # of the layer that will hold the segmentation
    resolution: tuple[float, float, float]  # nanometres
    bits: int = 24  # of a global id that are the label's, within its block
    base: int = 0
    used: tuple[Run, ...]
    asked: Json = {}  # what else changes the labels, for people


_known: dict[tuple[str, str], PlanFile] = {}  # by the store's URL and id; a plan never changes under its id


class Current(msgspec.Struct, frozen=True):
    """Which segmentation of a layer was finished last."""

    id: str


def folder_of(id: str) -> str:
    return f"{FOLDER}/{id}"


def write_plan(store: Store, id: str, plan: PlanFile) -> None:
    """Put a plan in place; BadUsage where another one has its id."""
    key = f"{folder_of(id)}/plan.json"
    _known.pop((store.url, id), None)
    data = msgspec.json.format(msgspec.json.encode(plan, order="sorted"), indent=1) + b"\n"
    there = store.get(key)
    if there is None:
        store.put(key, data, content_type="application/json")
    elif there != data:
        raise BadUsage(
            f"{store.url}/{key} is another plan for the same options: what they name (--roi, the layers) has changed "
            f"since. Remove {store.url}/{folder_of(id)}, or choose another DEST"
        )


def read_plan(store: Store, id: str) -> PlanFile:
    """The plan of an id; BadInput where there is none."""
    known = _known.get((store.url, id))
    if known is None:
        known = _known[store.url, id] = _read(store, f"{folder_of(id)}/plan.json", PlanFile)
    return known


def has_plan(store: Store, id: str) -> bool:
    key = f"{folder_of(id)}/plan.json"
    return store.exists([key])[key]


def write_current(store: Store, id: str) -> None:
    """Say that this segmentation is the newest that was finished."""
    store.put(CURRENT, msgspec.json.encode(Current(id)) + b"\n", content_type="application/json")


def read_current(store: Store) -> str:
    """The id of the segmentation that was finished last; BadUsage where none was."""
    if store.get(CURRENT) is None:
        raise BadUsage(f"{store.url} holds no finished blocks: first run `teravox segment` to its end, into this layer")
    return _read(store, CURRENT, Current).id


def _read(store: Store, key: str, kind: type[T]) -> T:
    data = store.get(key)
    if data is None:
        raise BadInput(f"{store.url}/{key} is missing; {REMEDY}")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{store.url}/{key} cannot be read: {error}. Remove it, and {REMEDY}") from None
