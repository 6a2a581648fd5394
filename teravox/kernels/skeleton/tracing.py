"""Traces the skeletons of components by TEASAR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.skeleton.ball import make_buckets
from teravox.kernels.skeleton.drawing import Fields, Rules, draw, find_end, make_fields
from teravox.kernels.skeleton.gathering import gather, take
from teravox.kernels.skeleton.lattice import MOST, Lattice, Lengths, Places, make_lattice, places_of, voxels_at
from teravox.kernels.skeleton.paths import Pairs
from teravox.kernels.skeleton.skeleton import Skeleton, Vertices
from teravox.kernels.skeleton.soma import fill, find_middle
from teravox.kernels.skeleton.teasar import Teasar

Numbers = NDArray[np.uint32]
Distances = NDArray[np.float32]
Step = tuple[float, float, float]


class Targets(NamedTuple):
    """Voxels of a component that paths must reach."""

    before: Vertices  # before all others; without `root`, the first of them is where paths begin
    after: Vertices  # when all else is done
    root: tuple[int, int, int] | None = None


def trace(
    numbers: Numbers,
    distances: Distances,
    step: Step,
    chosen: Iterable[int],
    teasar: Teasar,
    targets: Mapping[int, Targets] | None = None,
) -> Iterator[tuple[int, Skeleton]]:
    """The number and the skeleton of each chosen component, in order; vertices are voxels of `numbers`.

    `numbers` has the components by x, y and z in Fortran order: each is connected by faces, edges or corners of its
    voxels; 0 is background. `distances` are of the same shape and order: from each voxel to the boundary of its
    component, in nanometres, as edt.edt measures them. A voxel is `step` nanometres wide.
    A skeleton is a tree without loops; of a component that is one voxel, it is that vertex.
    """
    lattice = make_lattice(numbers.shape, step)
    order = np.fromiter(chosen, np.int64)
    voxels, starts = gather(numbers, order, lattice)
    fields = make_fields(lattice)
    for i, number in enumerate(order.tolist()):
        places = voxels[starts[i] : starts[i + 1]]
        if len(places):
            one = _trace(places, take(distances, places, lattice), lattice, fields, teasar, (targets or {}).get(number))
            yield number, one


def _trace(
    places: Places, radii: Lengths, lattice: Lattice, fields: Fields, teasar: Teasar, targets: Targets | None
) -> Skeleton:
    before, after, root = _find_places(targets, places, lattice)
    is_part = len(before) > 0
    has_soma = False
    if not np.isfinite(radii.max()):
        raise ValueError("A component without a boundary has no distances: measure them with black_border")
    if radii.max() > teasar.soma_detection_threshold:
        places, radii = fill(places, radii, lattice)
        has_soma = bool(radii.max() > teasar.soma_acceptance_threshold)
    largest = float(radii.max())
    soma = 0.0
    if has_soma:
        if targets is not None and targets.root is not None:
            before = np.append(before, places_of([targets.root], lattice))
        root = find_middle(places, radii, lattice)
        soma = largest * teasar.soma_invalidation_scale + teasar.soma_invalidation_const
    elif root is None:
        root = find_end(places, lattice, fields)
    elif targets is not None and targets.root is None:
        before = before[1:]
    rules = Rules(
        float(teasar.scale),
        float(teasar.const),
        float(teasar.pdrf_scale),
        float(teasar.pdrf_exponent),
        float(teasar.soma_detection_threshold) if is_part and not has_soma else np.inf,
        float(teasar.soma_invalidation_scale),
        float(teasar.soma_invalidation_const),
        MOST if teasar.max_paths is None else teasar.max_paths,
        teasar.fix_branching,
    )
    squares = make_buckets(lattice.step, max(soma, teasar.scale * largest + teasar.const))
    pairs = draw(places, radii, root, before, after, soma, rules, squares, lattice, fields)
    return _build(pairs, root, places, radii, lattice)


def _find_places(targets: Targets | None, places: Places, lattice: Lattice) -> tuple[Places, Places, int | None]:
    """The places of targets, and of the root where one is given; its first target is, where it has some."""
    if targets is None:
        none = np.empty(0, np.int32)
        return none, none, None
    roots = [targets.root] if targets.root is not None else targets.before[:1]
    found = [places_of(voxels, lattice) for voxels in (targets.before, targets.after, roots)]
    for part in found:
        if not np.array_equal(places[np.searchsorted(places, part).clip(max=len(places) - 1)], part):
            raise ValueError("A target lies outside of its component")
    before, after, root = found
    return before, after, int(root[0]) if len(root) else None


def _build(pairs: Pairs, root: int, places: Places, radii: Lengths, lattice: Lattice) -> Skeleton:
    if not len(pairs):
        alone = np.array([root], np.int32)
        radius = radii[np.searchsorted(places, alone)]
        return Skeleton(voxels_at(alone, lattice), pairs.astype(np.uint32), radius, {})
    vertices, numbers = np.unique(pairs, return_inverse=True)  # places are in the order of z, y and x
    edges = np.sort(numbers.reshape(-1, 2), axis=1).astype(np.uint32)
    edges = edges[np.lexsort((edges[:, 1], edges[:, 0]))]
    return Skeleton(voxels_at(vertices, lattice), edges, radii[np.searchsorted(places, vertices)], {})
