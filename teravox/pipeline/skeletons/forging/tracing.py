"""Traces the skeletons of all labels of a piece, component by component."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.box import Vec
from teravox.pipeline.errors import TooLittleMemory
from teravox.pipeline.skeletons.forging.memory import BODY
from teravox.pipeline.skeletons.forging.reading import Read, cut, measure_distances
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.skeleton.bodies import Bodies
    from teravox.kernels.skeleton.skeleton import Skeleton
    from teravox.kernels.skeleton.teasar import Teasar
    from teravox.kernels.skeleton.tracing import Targets

    Voxels = NDArray[Any]  # unsigned whole numbers in x, y and z
    Distances = NDArray[np.float32]
    Flags = NDArray[np.bool_]
    Places = NDArray[np.int64]
    Traced = Iterator[tuple[int, Skeleton]]


class Tracing(NamedTuple):
    """How skeletons are traced."""

    teasar: Teasar
    step: tuple[float, float, float]
    dust: int  # components of fewer voxels that do not go on in another piece are left out
    fix_borders: bool
    kimimaro: bool


def trace_numbers(read: Read, planes: Mapping[int, Voxels], own: Vec, size: Vec, tracing: Tracing, room: int) -> Traced:
    """Each number and its skeleton, in voxels of the piece; what is read around it is looked at for distances only."""
    import numpy as np

    from teravox.kernels.components import label
    from teravox.kernels.skeleton.bodies import find_bodies

    distances = None if tracing.kimimaro else measure_distances(read.voxels, tracing.step)
    part = np.asfortranarray(read.voxels[cut(own, size)])
    del read  # which may be the last to hold the voxels
    if distances is not None:
        distances = np.asfortranarray(distances[cut(own, size)])
    components, count = label(part, 26)
    bodies = find_bodies(components, count, part)
    del part
    targets = _find_targets(planes, tracing.step, size)
    chosen = _choose(bodies, components, targets, planes, size, tracing)
    if len(chosen) * BODY > room:
        raise TooLittleMemory(
            f"a piece has {len(chosen):,} parts of labels to be traced, which take {say_bytes(len(chosen) * BODY)}, and "
            f"{say_bytes(room)} are left for them: choose a larger --memory, a smaller --shape, or a --dust-threshold"
        )
    if distances is None:
        from teravox.pipeline.skeletons.forging.by_kimimaro import trace_by_kimimaro

        traced = trace_by_kimimaro(components, chosen, tracing)
    else:
        from teravox.kernels.skeleton.tracing import trace

        wanted = _by_component(targets, components, distances) if tracing.fix_borders else {}
        traced = trace(components, distances, tracing.step, chosen.tolist(), tracing.teasar, wanted)
    for number, some in itertools.groupby(traced, lambda one: int(bodies.number[one[0]])):
        yield number, _join([skeleton for _, skeleton in some])


def _find_targets(planes: Mapping[int, Voxels], step: tuple[float, float, float], size: Vec) -> Places:
    """The voxels of the piece's inner sides through which skeletons go, each once."""
    import numpy as np

    from teravox.kernels.skeleton.borders import border_targets

    found = [np.empty((0, 3), np.int64)]
    for side, plane in planes.items():
        axis, end = divmod(side, 2)
        across, along = (step[a] for a in (0, 1, 2) if a != axis)
        places = border_targets(plane, (across, along))
        found.append(np.insert(places, axis, size[axis] - 1 if end else 0, axis=1))
    return np.unique(np.concatenate(found), axis=0)


def _choose(
    bodies: Bodies, components: Voxels, targets: Places, planes: Mapping[int, Voxels], size: Vec, tracing: Tracing
) -> NDArray[np.int64]:
    """The components to trace: label by label, without dust, and without what the neighbours have."""
    import numpy as np

    wanted: Flags = bodies.number > 0
    dust = wanted & (bodies.voxels < tracing.dust)
    dust[components[tuple(targets.T)]] = False  # which go on in other pieces
    wanted &= ~dust
    wanted &= ~_is_flat(bodies, planes, size)
    chosen = np.flatnonzero(wanted)
    return chosen[np.argsort(bodies.number[chosen], kind="stable")]


def _is_flat(bodies: Bodies, planes: Mapping[int, Voxels], size: Vec) -> Flags:
    """The components that lie in the plane of an upper side, so that the neighbour there has all of their voxels.

    Around an edge of the grid two pieces could each leave what goes through it to the other: so one that lies in the
    plane of y is kept if it touches the lower side of x, and one in the plane of z if it touches that of x or y.
    """
    import numpy as np

    flat = np.zeros(len(bodies.voxels), np.bool_)
    shared = np.zeros(len(bodies.voxels), np.bool_)  # a lower side of an axis before this one
    for axis in (0, 1, 2):
        if 2 * axis + 1 in planes:
            flat |= (bodies.low[:, axis] == size[axis] - 1) & ~shared
        if 2 * axis in planes:
            shared |= bodies.low[:, axis] == 0
    return flat


def _by_component(targets: Places, components: Voxels, distances: Distances) -> dict[int, Targets]:
    """The targets of each component, the thickest place first: there its skeleton begins."""
    import numpy as np

    from teravox.kernels.skeleton.tracing import Targets

    at = tuple(targets.T)
    owners = components[at].astype(np.int64)
    order = np.lexsort((*targets.T, -distances[at], owners))
    voxels = targets[order].astype(np.int32)
    none = np.empty((0, 3), np.int32)
    ends = np.flatnonzero(np.diff(owners[order])) + 1
    groups = np.split(voxels, ends) if len(voxels) else []
    return {int(components[tuple(some[0])]): Targets(some, none) for some in groups}


def _join(skeletons: Iterable[Skeleton]) -> Skeleton:
    """Several skeletons as one."""
    import numpy as np

    from teravox.kernels.skeleton.skeleton import Skeleton

    some = list(skeletons)
    if len(some) == 1:
        return some[0]
    starts = np.cumsum([0, *(len(one.vertices) for one in some)])
    return Skeleton(
        np.concatenate([one.vertices for one in some]),
        np.concatenate([one.edges + np.uint32(start) for one, start in zip(some, starts[:-1], strict=True)]),
        np.concatenate([one.radius for one in some]),
        {},
    ).canonical()
