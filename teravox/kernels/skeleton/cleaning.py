"""Makes of the fragments of a label what is shown of it: trees without loops, ticks and dust, joined where they are near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import (
    IN_MEMORY,
    Scratch,
    flags,
    give_back,
    in_use,
    longs,
    numbered,
    pairs,
    rows,
)
from teravox.kernels.skeleton.closing import join_close
from teravox.kernels.skeleton.components import Points, cable_length, keep_long
from teravox.kernels.skeleton.loops import open_loops
from teravox.kernels.skeleton.skeleton import Edges, Skeleton
from teravox.kernels.skeleton.somata import Soma, contract_somata
from teravox.kernels.skeleton.ticks import remove_ticks
from teravox.kernels.skeleton.trunk import Ball
from teravox.kernels.skeleton.weld import Welded, weld

Step = tuple[float, float, float]  # nanometres from one voxel to the next


class Wish(NamedTuple):
    """What is to be done; lengths in nanometres."""

    ball: Ball  # of the paths, as they were traced
    soma: Soma

    least_cable: float  # of a component, without which it is dust
    most_cable: float | None  # of a label, beyond which it is only welded
    tick: float  # branches that are shorter go
    join: bool  # components that are near each other


class Kept(NamedTuple):
    """What is left of a skeleton."""

    rows: NDArray[np.int64]  # its vertices, in order
    edges: Edges  # between these


def clean(fragments: Sequence[Skeleton], step: Step, wish: Wish) -> Skeleton:
    """The skeleton of a label, in canonical order; the order of the fragments changes nothing."""
    welded = weld(fragments)
    kept = choose(welded, step, wish)
    return welded.skeleton.taken(kept.rows)._replace(edges=kept.edges)


def choose(welded: Welded, step: Step, wish: Wish, scratch: Scratch = IN_MEMORY) -> Kept:
    """What is left of a label when it is cleaned."""
    (vertices, before, radius, _), piece = welded
    points = np.multiply(vertices, step, out=rows(scratch, vertices.shape, np.dtype(np.float64)))
    if wish.most_cable is not None and cable_length(points, before) > wish.most_cable:
        return Kept(numbered(scratch, len(points)), before)
    slack = float(np.linalg.norm(step))
    mark = in_use(scratch)
    edges = contract_somata(points, before, radius, wish.soma, scratch)
    edges = _settle(edges, mark, scratch)
    edges = open_loops(points, edges, radius, piece, slack, scratch)
    edges = _settle(edges, mark, scratch)
    if wish.join:
        edges = join_close(points, edges, radius, slack / 2, scratch)
        edges = _settle(edges, mark, scratch)
    edges = remove_ticks(points, edges, radius, piece, slack, wish.ball, wish.tick, scratch)
    edges = _settle(edges, mark, scratch)
    return Kept(*_keep(points, before, edges, wish.least_cable, scratch))


@compiled
def _settle(edges: Edges, mark: int, scratch: Scratch) -> Edges:
    """The edges, while everything else that was made since is given back."""
    if len(scratch) == 0:
        return edges
    give_back(scratch, mark)
    settled = pairs(scratch, len(edges))
    for e in range(len(edges)):  # one by one, since both may be the same place
        settled[e, 0], settled[e, 1] = edges[e, 0], edges[e, 1]
    return settled


@compiled
def _keep(
    points: Points, before: Edges, edges: Edges, least: float, scratch: Scratch
) -> tuple[NDArray[np.int64], Edges]:
    """The vertices of components with so much cable, in the same order, and their edges; none of those that have lost all edges."""
    kept = keep_long(points, edges, least, scratch)
    lost = flags(scratch, len(points), False)
    for e in range(len(before)):
        lost[before[e, 0]] = lost[before[e, 1]] = True
    for e in range(len(edges)):
        lost[edges[e, 0]] = lost[edges[e, 1]] = False
    place, rows = longs(scratch, len(points)), longs(scratch, len(points))
    count = 0
    for v in range(len(points)):
        if kept[v] and not lost[v]:
            place[v] = count
            rows[count] = v
            count += 1
    moved = pairs(scratch, len(edges))
    there = 0
    for e in range(len(edges)):
        if kept[edges[e, 0]]:
            moved[there, 0], moved[there, 1] = place[edges[e, 0]], place[edges[e, 1]]
            there += 1
    return rows[:count], moved[:there]
