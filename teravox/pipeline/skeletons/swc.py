"""Skeletons as SWC, the text that programs for neurons read: a line for each vertex, which names its parent.

Several trees may follow each other, also those of several labels: each label has a head of its own, whose line `Meta`
says it with the unit, as navis writes and reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from teravox import __version__
from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_info import RADIUS, Attribute

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Unit = Literal["nm", "um"]
UNITS: dict[Unit, tuple[str, float]] = {"nm": ("nanometer", 1.0), "um": ("micrometer", 1000.0)}  # words, and nanometres
TYPES = Attribute("vertex_types", "float32")  # of the structure to which a vertex belongs, as SWC numbers them
SOMA = 1


class Written(NamedTuple):
    """The SWC of a label."""

    text: bytes
    nodes: int
    opened: int  # loops that were opened, since SWC knows only trees


def encode_swc(label: int, skeleton: Skeleton, unit: Unit, first: int = 1) -> Written:
    """A skeleton as SWC whose nodes are numbered from `first` on. The root of a tree is its soma, else where it is thickest.

    Nine digits are written, which give back the same 32-bit numbers.
    """
    import numpy as np

    from teravox.kernels.skeleton.rooted import root_trees

    count = len(skeleton.vertices)
    radius = skeleton.attributes.get(RADIUS.id, np.zeros(count, np.float32)).astype(np.float64)
    types = _types_of(skeleton)
    order, parents, opened = root_trees(count, skeleton.edges, np.where(types == SOMA, np.inf, radius))
    word, size = UNITS[unit]
    said = msgspec.json.encode({"id": str(label), "name": str(label), "units": f"1 {word}"}).decode()
    head = f"# SWC of label {label}, by teravox {__version__}\n# Meta: {said}\n# node type x y z radius parent\n"
    x, y, z = (skeleton.vertices[order].astype(np.float64) / size).T.tolist()
    rows = zip(
        range(first, first + count),
        types[order].tolist(),
        x,
        y,
        z,
        (radius[order] / size).tolist(),
        np.where(parents < 0, -1, parents + first).tolist(),
        strict=True,
    )
    return Written((head + "".join(_LINE % row for row in rows)).encode(), count, opened)


_LINE = "%d %d %.9g %.9g %.9g %.9g %d\n"


def _types_of(skeleton: Skeleton) -> NDArray[np.int64]:
    """The structure type of each vertex; 0 where nobody says it."""
    import numpy as np

    types = skeleton.attributes.get(TYPES.id)
    if types is None or types.ndim != 1 or not np.isfinite(types).all():
        return np.zeros(len(skeleton.vertices), np.int64)
    return types.astype(np.int64)
