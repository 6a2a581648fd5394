"""A skeleton as people use it: vertices in nanometres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[Any]  # Any: an attribute may be of any integer or float type


class Skeleton(NamedTuple):
    """Vertices in nanometres, edges as pairs of their indices, and what is known of each vertex, by name.

    An attribute has one value for each vertex, or a row of them; `radius` is one in nanometres.
    """

    vertices: NDArray[np.float32]
    edges: NDArray[np.uint32]
    attributes: dict[str, Values]
