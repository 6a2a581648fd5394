"""What touches across the faces of one box, from what it and its neighbours have left."""

from __future__ import annotations

import math
from collections.abc import Iterator

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.components.groups import pack_links
from teravox.pipeline.components.plan import Plan
from teravox.pipeline.components.surface_file import read_components, read_surface, read_surface_head, surface_key


def link(plan: Plan, folder: str, box: Box, connectivity: int) -> bytes:
    """The bytes of what a box passes on: the components on its faces, and what they touch in the neighbours that come after it."""
    import numpy as np

    from teravox.kernels.contacts import touching
    from teravox.kernels.joining import Open, name_components

    here = plan.index(plan.cell(box))
    surface = read_surface(plan.store, folder, here)
    near, far = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    for direction, there in _neighbours(plan, box, connectivity):
        other = read_surface(plan.store, folder, there)
        ours, theirs = touching(surface, other, direction, connectivity)
        near.append((np.uint64(here) << np.uint64(32)) | ours)
        far.append((np.uint64(there) << np.uint64(32)) | theirs)
    sizes, _ = read_components(plan.store, folder, here)
    number = len(surface.labels)
    on_faces = surface.labels.astype(np.int64) - 1
    open = Open(
        name_components(here, number),
        surface.sides,
        np.arange(number, dtype=np.uint32),
        sizes[on_faces].astype(np.uint64),
        np.concatenate(near),
        np.concatenate(far),
    )
    return pack_links(open, np.delete(sizes, on_faces))


def keys_read(plan: Plan, folder: str, box: Box, connectivity: int) -> list[str]:
    """What `link` reads, in order; its own components come twice."""
    here = plan.index(plan.cell(box))
    there = [index for _, index in _neighbours(plan, box, connectivity)]
    return [surface_key(folder, index) for index in (here, *there, here)]


def linking_bytes(plan: Plan, folder: str, box: Box, connectivity: int) -> int:
    """The bytes that linking a box needs at most, by what the box and its neighbours have left."""
    from teravox.kernels.contacts import REACH

    here = read_surface_head(plan.store, folder, plan.index(plan.cell(box)))
    needed = 16 * here.length("sizes") + 60 * here.length("labels")
    most = 0
    for direction, there in _neighbours(plan, box, connectivity):
        other = read_surface_head(plan.store, folder, there)
        kept = sum(entry.stored + (0 if entry.name == "sizes" else entry.length * 8) for entry in other.arrays)
        rim = math.prod(n for n, d in zip(box.size, direction, strict=True) if d == 0)
        steps = 1 if REACH[connectivity] == 1 else 9
        most = max(most, kept + 60 * rim + 16 * rim * steps)
        needed += 16 * rim * steps
    return needed + most + sum(entry.stored + entry.length * 8 for entry in here.arrays if entry.name != "sizes")


def _neighbours(plan: Plan, box: Box, connectivity: int) -> Iterator[tuple[Vec, int]]:
    from teravox.kernels.contacts import directions

    x, y, z = plan.cell(box)
    for direction in directions(connectivity):
        there = (x + direction[0], y + direction[1], z + direction[2])
        if plan.has(there):
            yield direction, plan.index(there)
