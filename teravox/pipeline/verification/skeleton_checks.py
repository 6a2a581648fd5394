"""What must hold of a skeleton, whatever it was read from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.skeletons.skeleton_info import RADIUS

if TYPE_CHECKING:
    from teravox.pipeline.skeletons.skeleton import Skeleton
    from teravox.pipeline.verification.object_space import Space

UNKNOWN = -1  # in place of a radius, as CloudVolume has it


def check_skeleton(skeleton: Skeleton, space: Space) -> Iterator[str]:
    """What is wrong with it, as sentences without a subject; edges that name no vertex cannot be decoded, and are told there."""
    import numpy as np

    vertices, edges, attributes = skeleton
    if not len(vertices):
        return
    yield from space.check_inside(vertices)
    loops = int((edges[:, 0] == edges[:, 1]).sum())
    if loops:
        yield f"{loops:,} of its edges lead from a vertex to itself"
    for name, values in attributes.items():
        if values.dtype.kind == "f" and np.isnan(values).any():
            yield f"its {name} is no number at {int(np.isnan(values).sum()):,} vertices"
    radius = attributes.get(RADIUS.id)
    if radius is not None and (wrong := (radius < 0) & (radius != UNKNOWN)).any():
        yield f"its radius is negative at {int(wrong.sum()):,} vertices"
