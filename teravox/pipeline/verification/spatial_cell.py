"""Checks one file of a spatial index: JSON of labels and the corners of their boxes, in nanometres."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadInput
from teravox.pipeline.verification.finding import Finding, What

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.store import Store

_NUMBER = r"(-?[0-9]+(?:\.[0-9]*)?)"
_NAME = re.compile("_".join([f"{_NUMBER}-{_NUMBER}"] * 3))
Corner = tuple[float, ...]
Corners = tuple[float, float, float, float, float, float]
Label = Annotated[str, Meta(pattern="^[0-9]{1,20}$")]


class Cell(NamedTuple):
    """A file, the box that it is about, and how far what is in that may reach out of it."""

    key: str
    box: tuple[Corner, Corner]
    margin: NDArray[np.float64]


class FoundCell(NamedTuple):
    """What is wrong with a file, and the labels that it has."""

    findings: list[Finding]
    labels: NDArray[np.uint64]


def parse_name(name: str) -> tuple[Corner, Corner] | None:
    """The box that a file is named after; None where that is no box."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    numbers = [float(number) for number in match.groups()]
    return tuple(numbers[::2]), tuple(numbers[1::2])


def read_cell(store: Store, cell: Cell) -> FoundCell:
    """Read a file, and check that its boxes lie in the cell."""
    import numpy as np

    none = np.empty(0, np.uint64)

    def say(what: What, why: str) -> FoundCell:
        return FoundCell([Finding(what, cell.key, why)], none)

    try:
        data = store.get(cell.key)
        if data is None:
            return say("missing", "it was there when the folder was listed, and has gone since")
        said = msgspec.json.decode(data, type=dict[Label, Corners])
        labels = np.array([int(label) for label in said], np.uint64)
    except BadInput as error:
        return say("undecodable", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError) as error:
        return say("undecodable", f"it does not say in which boxes labels lie: {error}")
    boxes = np.array(list(said.values()), np.float64).reshape(-1, 2, 3)
    low, high = boxes[:, 0], boxes[:, 1]
    first, last = np.array(cell.box[0]) - cell.margin, np.array(cell.box[1]) + cell.margin
    bad = ~((low <= high) & (low >= first) & (high <= last)).all(axis=1)
    if bad.any():
        box = ", ".join(f"{n:g}" for n in boxes[bad][0].ravel().tolist())
        return say("wrong", f"it says that label {labels[bad][0]} lies in {box} nm, which is not within its cell")
    return FoundCell([], labels)
