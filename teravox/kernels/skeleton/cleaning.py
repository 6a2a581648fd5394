"""Makes of the fragments of a label what is shown of it: trees without loops, ticks and dust, joined where they are near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.closing import join_close
from teravox.kernels.skeleton.components import Points, cable_length, keep_long
from teravox.kernels.skeleton.loops import open_loops
from teravox.kernels.skeleton.skeleton import Edges, Skeleton
from teravox.kernels.skeleton.somata import Soma, contract_somata
from teravox.kernels.skeleton.ticks import remove_ticks
from teravox.kernels.skeleton.trunk import Ball
from teravox.kernels.skeleton.weld import weld

Step = tuple[float, float, float]  # nanometres from one voxel to the next


class Wish(NamedTuple):
    """What is to be done; lengths in nanometres."""

    ball: Ball  # of the paths, as they were traced
    soma: Soma

    least_cable: float  # of a component, without which it is dust
    most_cable: float | None  # of a label, beyond which it is only welded
    tick: float  # branches that are shorter go
    join: bool  # components that are near each other


def clean(fragments: Sequence[Skeleton], step: Step, wish: Wish) -> Skeleton:
    """The skeleton of a label, in canonical order; the order of the fragments changes nothing."""
    skeleton, piece = weld(fragments)
    points = skeleton.vertices * np.array(step)
    if wish.most_cable is not None and cable_length(points, skeleton.edges) > wish.most_cable:
        return skeleton
    slack = float(np.linalg.norm(step))
    edges = contract_somata(points, skeleton.edges, skeleton.radius, wish.soma)
    edges = open_loops(points, edges, skeleton.radius, piece, slack)
    if wish.join:
        edges = join_close(points, edges, skeleton.radius, slack / 2)
    edges = remove_ticks(points, edges, skeleton.radius, piece, slack, wish.ball, wish.tick)
    rows, edges = _keep(points, skeleton.edges, edges, wish.least_cable)
    return skeleton.taken(rows)._replace(edges=edges)


@compiled
def _keep(points: Points, before: Edges, edges: Edges, least: float) -> tuple[NDArray[np.int64], Edges]:
    """The vertices of components with so much cable, in the same order, and their edges; none of those that have lost all edges."""
    kept = keep_long(points, edges, least)
    lost = np.zeros(len(points), np.bool_)
    for e in range(len(before)):
        lost[before[e, 0]] = lost[before[e, 1]] = True
    for e in range(len(edges)):
        lost[edges[e, 0]] = lost[edges[e, 1]] = False
    place = np.empty(len(points), np.uint32)
    rows = np.empty(len(points), np.int64)
    count = 0
    for v in range(len(points)):
        if kept[v] and not lost[v]:
            place[v] = count
            rows[count] = v
            count += 1
    moved = np.empty((len(edges), 2), np.uint32)
    there = 0
    for e in range(len(edges)):
        if kept[edges[e, 0]]:
            moved[there, 0], moved[there, 1] = place[edges[e, 0]], place[edges[e, 1]]
            there += 1
    return rows[:count].copy(), moved[:there].copy()
