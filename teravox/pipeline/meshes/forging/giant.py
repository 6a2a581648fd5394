"""The surface of a label that is too large to be marched at once: halves of halves, simplified before they are joined."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.box import Vec
from teravox.pipeline.errors import TooLittleMemory
from teravox.pipeline.meshes.forging.finishing import Finishing, Span
from teravox.pipeline.meshes.forging.memory import FACES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.mesh.surface import Surface

    Voxels = NDArray[Any]  # unsigned whole numbers in x, y and z

SMALLEST = 16  # voxels of the longest axis: what has too many faces there is noise


class Giant(NamedTuple):
    """A number whose surface has more faces than may be worked on at once."""

    voxels: Voxels
    number: int
    spare: NDArray[np.uint8]  # memory for as many bytes as there are voxels
    finishing: Finishing
    most: int  # faces

    def surface(self) -> Surface:
        """Its surface, simplified, in half voxels of the array; TooLittleMemory where that leaves too many faces."""
        x, y, z = self.voxels.shape
        return self._within(Span((0, 0, 0), (x - 1, y - 1, z - 1)))

    def _within(self, span: Span) -> Surface:
        from teravox.kernels.mesh.marching import march
        from teravox.kernels.mesh.numbering import count_crossings
        from teravox.kernels.mesh.weld import weld

        mask = self._mask(span)
        if count_crossings(mask, 2)[1] * FACES <= self.most:
            parts = [surface for _, surface in march(mask)]
        else:
            parts = [self._within(half) for half in self._halve(span)]
            faces = sum(len(part.faces) for part in parts)
            if faces > self.most:
                raise self._too_large(faces)
            return self.finishing.simplify(weld(parts), span)
        return self.finishing.simplify(weld(parts).moved(_doubled(span.low)), span)

    def _mask(self, span: Span) -> Voxels:
        import numpy as np

        size = tuple(high - low + 1 for low, high in zip(span.low, span.high, strict=True))
        mask = self.spare[: math.prod(size)].reshape(size, order="F")
        x, y, z = (slice(low, high + 1) for low, high in zip(span.low, span.high, strict=True))
        np.equal(self.voxels[x, y, z], self.number, out=mask, casting="unsafe")
        return mask

    def _halve(self, span: Span) -> tuple[Span, Span]:
        """Both parts have the plane between them."""
        size = [high - low for low, high in zip(span.low, span.high, strict=True)]
        axis = size.index(max(size))
        if size[axis] < SMALLEST:
            raise self._too_large(self.most + 1)
        middle = span.low[axis] + size[axis] // 2
        return Span(span.low, _put(span.high, axis, middle)), Span(_put(span.low, axis, middle), span.high)

    def _too_large(self, faces: int) -> TooLittleMemory:
        return TooLittleMemory(
            f"a label of the piece has a surface of {faces:,} faces or more, even when it is simplified, and there is "
            f"memory for {self.most:,} of them: give it more --memory, a smaller --shape or a larger --max-error"
        )


def _put(vec: Vec, axis: int, value: int) -> Vec:
    x, y, z = (value if a == axis else n for a, n in enumerate(vec))
    return (x, y, z)


def _doubled(vec: Vec) -> Vec:
    return (2 * vec[0], 2 * vec[1], 2 * vec[2])
