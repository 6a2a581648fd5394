"""Where the objects of a layer can be, in nanometres."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.layers.layer import Layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.floating]
    Corner = NDArray[np.float64]

VOXELS = 2  # that surfaces reach out of a layer: half a one where they are closed, and more where they are smoothed
SMOOTHING = 100.0  # nanometres by which the simplification of whichever program may move a vertex


class Space(NamedTuple):
    """The bounds of a layer, and how far what was made of its voxels may reach beyond them."""

    low: Corner
    high: Corner
    margin: Corner

    @classmethod
    def of(cls, layer: Layer, raw: dict[str, Any]) -> Space:  # Any: JSON
        """By all mips of a layer, which may differ by a voxel; the info of the objects may say of which they were made."""
        import numpy as np

        scales = layer.info.scales
        resolutions = np.array([scale.resolution for scale in scales], "f8")
        low = np.array([scale.bounds.min for scale in scales], "f8") * resolutions
        high = np.array([scale.bounds.max for scale in scales], "f8") * resolutions
        mip = raw.get("mip")
        known = isinstance(mip, int) and 0 <= mip < len(scales)
        voxel = resolutions[mip] if known else resolutions.max(axis=0)
        return cls(low.min(axis=0), high.max(axis=0), VOXELS * voxel + SMOOTHING)

    def __str__(self) -> str:
        ends = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return ", ".join(f"{a:,.0f} to {b:,.0f}" for a, b in ends) + " nm"

    def touches(self, low: Places, high: Places) -> NDArray[np.bool_]:
        """Which boxes, in rows, have something of it."""
        import numpy as np

        return np.asarray(((low <= self.high + self.margin) & (high >= self.low - self.margin)).all(axis=1))

    def check_inside(self, vertices: Places) -> Iterator[str]:
        """What is wrong with where vertices are, as a sentence without a subject."""
        if not len(vertices):
            return
        outside = ((vertices < self.low - self.margin) | (vertices > self.high + self.margin)).any(axis=1)
        if outside.any():
            place = ", ".join(f"{n:,.0f}" for n in vertices[outside][0].tolist())
            yield f"a vertex is at {place} nm, outside of the layer, which is {self}"
