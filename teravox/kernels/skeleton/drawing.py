"""Draws the paths of one component, until none of its voxels is without a path nearby."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.ball import Best, open_all, roll_ball
from teravox.kernels.skeleton.calendar import make_calendar
from teravox.kernels.skeleton.costs import price
from teravox.kernels.skeleton.distance_field import measure_from
from teravox.kernels.skeleton.farthest import find_farthest, sort_by_distance
from teravox.kernels.skeleton.lattice import Lattice, Lengths, Places, Ways
from teravox.kernels.skeleton.paths import Pairs, add_edges, cut_at_soma, walk_back, walk_home
from teravox.kernels.skeleton.search import DRAWN, find_way

WALL = np.float32(-1)


class Fields(NamedTuple):
    """By place; one after the other, components use them, and leave walls."""

    total: Lengths  # what the cheapest way costs; before there are costs, the distance from the root
    costs: Lengths
    ways: Ways
    best: Best


class Rules(NamedTuple):
    """The part of Teasar that is for each path."""

    scale: float
    const: float
    pdrf_scale: float
    pdrf_exponent: float
    part_of_soma: float  # the radius from which a voxel may lie in a soma that the component is only a part of
    soma_scale: float
    soma_const: float
    most: int  # paths
    fix_branching: bool


def make_fields(lattice: Lattice) -> Fields:
    """Fields of nothing but walls."""
    return Fields(
        np.full(lattice.places, WALL, np.float32),
        np.empty(lattice.places, np.float32),
        np.empty(lattice.places, np.uint8),
        np.zeros(lattice.places, np.uint16),
    )


@compiled
def find_end(places: Places, lattice: Lattice, fields: Fields) -> int:
    """The voxel that is farthest from the first one: the first of equals."""
    total = fields.total
    for place in places:
        total[place] = np.inf
    measure_from(np.int64(places[0]), total, lattice)
    found = places[0]
    for place in places:
        if total[place] > total[found]:
            found = place
    return int(found)


@compiled
def draw(
    places: Places,
    radii: Lengths,
    root: int,
    before: Places,
    after: Places,
    soma: float,
    rules: Rules,
    squares: Lengths,
    lattice: Lattice,
    fields: Fields,
) -> Pairs:
    """The edges of the tree that covers these voxels; none where it is only the root.

    A `soma` is the radius of the ball around the root that paths cross in a straight line; 0 where there is none.
    """
    total, costs, ways, best = fields.total, fields.costs, fields.ways, fields.best
    for place in places:
        total[place] = np.inf
    measure_from(np.int64(root), total, lattice)
    for place in places:
        if total[place] == np.inf:
            raise ValueError("A component is not connected: its voxels must touch by faces, edges or corners")
    line, lengths, starts = sort_by_distance(places, total)
    width = price(places, radii, radii.max(), total, rules.pdrf_scale, rules.pdrf_exponent, costs)
    for place in places:
        total[place] = np.inf
    open_all(places, best, squares)

    reached = np.empty_like(places)
    calendar = make_calendar()
    if not rules.fix_branching:
        find_way(np.int64(root), total, ways, costs, width, lattice, calendar, reached)
    costs[root] = DRAWN
    valid = len(places)
    if soma > 0:
        ball = np.full(1, soma, np.float32)
        valid -= roll_ball(np.full(1, root, np.int32), ball, best, squares, lattice)
    pairs = np.empty((1024, 2), np.int32)
    drawn = bucket = paths = early = late = 0
    while True:
        is_given = True
        if early < len(before):
            target = np.int64(before[early])
            early += 1
        elif valid > 0 and paths < rules.most:
            bucket, found = find_farthest(line, lengths, starts, bucket, best)
            target = np.int64(found)
            is_given = False
        elif late < len(after):
            target = np.int64(after[late])
            late += 1
        else:
            break
        paths += 1
        if rules.fix_branching:
            end, number = find_way(target, total, ways, costs, width, lattice, calendar, reached)
            path = walk_back(end, ways, lattice, number + 1)
            for i in range(number):
                total[reached[i]] = np.inf
        else:
            path = walk_home(target, ways, costs, lattice, len(places))
        if soma > 0:
            path = cut_at_soma(path, root, soma, is_given, lattice)
        pairs = add_edges(path, pairs, drawn)
        drawn += len(path) - 1
        for place in path[:-1]:
            costs[place] = DRAWN
        if valid > 0:
            reaches = np.empty(len(path), np.float32)
            for i in range(len(path)):
                reaches[i] = reach_of(radii[_find(places, path[i])], rules)
            valid -= roll_ball(path, reaches, best, squares, lattice)
    for place in places:
        total[place] = WALL
        best[place] = 0
    return pairs[:drawn].copy()


@compiled
def reach_of(radius: np.float32, rules: Rules) -> float:
    """How far a path covers voxels around one of this radius."""
    reach = float(np.float32(rules.scale) * radius + np.float32(rules.const))
    if radius > rules.part_of_soma:
        return min(reach, float(rules.soma_scale * radius + rules.soma_const))
    return reach


@compiled
def _find(places: Places, place: int) -> int:
    low, high = 0, len(places) - 1
    while low < high:
        middle = (low + high) >> 1
        if places[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low
