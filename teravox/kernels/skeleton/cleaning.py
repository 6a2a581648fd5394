"""Makes of the fragments of a label what is shown of it: trees without loops, ticks and dust, joined where they are near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.skeleton.closing import join_close
from teravox.kernels.skeleton.components import cable_length, keep_long
from teravox.kernels.skeleton.loops import open_loops
from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.kernels.skeleton.somata import Soma, contract_somata
from teravox.kernels.skeleton.ticks import remove_ticks
from teravox.kernels.skeleton.trunk import Ball
from teravox.kernels.skeleton.weld import weld

Flags = NDArray[np.bool_]
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
    lost = np.ones(len(points), np.bool_)
    lost[edges] = False
    lost[_without_edges(skeleton)] = False
    return _part_of(skeleton._replace(edges=edges), keep_long(points, edges, wish.least_cable) & ~lost)


def _without_edges(skeleton: Skeleton) -> Flags:
    """Which vertices are skeletons of their own."""
    alone = np.ones(len(skeleton.vertices), np.bool_)
    alone[skeleton.edges] = False
    return alone


def _part_of(skeleton: Skeleton, kept: Flags) -> Skeleton:
    """What lies between the vertices that are kept, in the same order."""
    place = np.cumsum(kept, dtype=np.uint32) - np.uint32(1)
    edges = skeleton.edges[kept[skeleton.edges[:, 0]]]
    return skeleton.taken(np.flatnonzero(kept))._replace(edges=place[edges])
