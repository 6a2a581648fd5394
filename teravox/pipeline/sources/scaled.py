"""A source whose stored numbers stand for others: value = slope x number + intercept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.sources.source import Part, Source, bytes_of

if TYPE_CHECKING:
    from teravox.pipeline.sources.flat import FlatSource
    from teravox.pipeline.sources.source import Array


class ScaledSource(Source):
    """The values that are meant, as float32."""

    def __init__(self, inner: FlatSource, slope: float, inter: float) -> None:
        import numpy as np

        self._inner = inner
        self._slope = slope
        self._inter = inter
        self.place = inner.place
        self.shape = inner.shape
        self.dtype = np.dtype(np.float32)
        self.block = inner.block
        self.axes = inner.axes
        self.axes_are_said = inner.axes_are_said
        self.order = inner.order
        self.known = inner.known
        self.lanes = inner.lanes

    def read(self, part: Part) -> Array:
        import numpy as np

        values = self._inner.read(part).astype(np.float64)
        values *= self._slope
        values += self._inter
        return values.astype(np.float32)

    def spare_bytes(self) -> int:
        return self._inner.spare_bytes()

    def lane_bytes(self) -> int:
        largest = max(self.turn, bytes_of(self.block, self.dtype))  # of float32
        return 2 * largest + max(largest, bytes_of(self.block, self._inner.dtype))

    def index_name(self) -> str | None:
        return self._inner.index_name()

    def make_index(self) -> bytes | None:
        return self._inner.make_index()

    def use_index(self, index: bytes) -> None:
        self._inner.use_index(index)

    def close(self) -> None:
        self._inner.close()
