"""Reads SWC, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_info import RADIUS
from teravox.pipeline.skeletons.swc import TYPES, UNITS, Unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.skeletons.skeleton import Values

META = "meta:"
COLUMNS = 7
_WORDS: dict[str, Unit] = {
    word: unit
    for unit, (name, _) in UNITS.items()
    for word in (unit, name, f"{name}s", f"1 {name}", f"1 {name}s", name.replace("meter", "metre"))
} | {"µm": "um", "micron": "um", "microns": "um"}


class Tree(NamedTuple):
    """The nodes of a label, and which label that is if the text says it."""

    label: int | None
    skeleton: Skeleton


class _Head(NamedTuple):
    """What the lines before some nodes say."""

    label: int | None = None
    unit: Unit | None = None


def read_swc(lines: Iterable[str], name: str, unit: Unit | None) -> Iterator[Tree]:
    """The labels in a text, one after another; `unit` is used where the text says none. BadInput names the line.

    What follows a line `Meta` with an id belongs to that label, and what has no such line is one label.
    """
    head = _Head()
    rows: list[tuple[float, ...]] = []
    started = 1
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if words[0].startswith("#"):
            said = _read_comment(line.strip().lstrip("#").strip(), head)
            if said.label != head.label and rows:
                yield _tree(rows, head, unit, name, started)
                rows = []
            head = said
            continue
        if not rows:
            started = number
        rows.append(_row(words, name, number))
    if rows:
        yield _tree(rows, head, unit, name, started)


def _read_comment(text: str, head: _Head) -> _Head:
    """What a comment adds to what is known."""
    word, _, rest = text.partition(" ")
    if word.lower() == META:
        try:
            said = msgspec.json.decode(rest, type=dict)
        except msgspec.DecodeError:  # a remark that looks like it
            return head
        id = str(said.get("id", "")).strip()
        label = int(id) if id.isascii() and id.isdigit() and 0 < int(id) < 2**64 else None
        return _Head(label, _WORDS.get(str(said.get("units", "")).strip().lower()))
    if word.lower() in ("unit:", "units:"):
        return head._replace(unit=_WORDS.get(rest.strip().lower(), head.unit))
    return head


def _row(words: list[str], name: str, number: int) -> tuple[float, ...]:
    """A node: its number, type, place, radius and parent."""
    if len(words) < COLUMNS:
        raise BadInput(
            f"{name}, line {number:,}: expected node, type, x, y, z, radius and parent, got {len(words)} words"
        )
    try:
        node, type, parent = int(words[0]), int(words[1]), int(words[6])
        place = [float(word) for word in words[2:6]]
    except ValueError:
        raise BadInput(f"{name}, line {number:,}: expected seven numbers, got {' '.join(words)[:80]!r}") from None
    if not all(map(math.isfinite, place[:3])):
        raise BadInput(f"{name}, line {number:,}: the node is nowhere")
    if not 0 <= type <= 255:
        raise BadInput(f"{name}, line {number:,}: expected a type from 0 to 255, got {type}")
    radius = place[3] if math.isfinite(place[3]) else 0.0
    return (node, type, *place[:3], radius, parent)


def _tree(rows: list[tuple[float, ...]], head: _Head, unit: Unit | None, name: str, started: int) -> Tree:
    import numpy as np

    known = head.unit or unit
    if known is None:
        raise BadInput(f"{name} does not say the unit of its numbers: say it with --units nm or --units um")
    size = UNITS[known][1]
    table = np.array([row[2:6] for row in rows]) * size
    edges = _edges([int(row[0]) for row in rows], [int(row[6]) for row in rows], name, started)
    attributes: dict[str, Values] = {
        RADIUS.id: table[:, 3].astype(np.float32),
        TYPES.id: np.array([row[1] for row in rows], np.float32),
    }
    return Tree(head.label, Skeleton(table[:, :3].astype(np.float32), edges, attributes))


def _edges(nodes: list[int], parents: list[int], name: str, started: int) -> NDArray[np.uint32]:
    """The pairs of a node and its parent, by their places."""
    import numpy as np

    from teravox.kernels.skeleton.components import number_components

    place = {node: at for at, node in enumerate(nodes)}
    if len(place) < len(nodes):
        twice = next(node for at, node in enumerate(nodes) if place[node] != at)
        raise BadInput(f"{name}: node {twice} is there twice, in what begins at line {started:,}")
    lost = next((parent for parent in parents if parent >= 0 and parent not in place), None)
    if lost is not None:
        raise BadInput(
            f"{name}: node {lost} is missing, though another names it as its parent (from line {started:,} on)"
        )
    pairs = [(place[parent], at) for at, parent in enumerate(parents) if parent >= 0]
    edges = np.array(pairs, np.uint32).reshape(-1, 2)
    if len(edges) != len(nodes) - number_components(edges, len(nodes))[1]:
        raise BadInput(f"{name}: nodes are their own parents in a circle, in what begins at line {started:,}")
    return edges
