"""An array that lies in a file as it would in memory, behind a header."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Literal

from teravox.pipeline.errors import BadInput
from teravox.pipeline.sources.axes import usual_axes
from teravox.pipeline.sources.gzip_bytes import GzipBytes
from teravox.pipeline.sources.plain_bytes import PlainBytes
from teravox.pipeline.sources.source import Known, Part, Source, bytes_of, size_of
from teravox.pipeline.storage.side_by_side import LOCAL_LANES

if TYPE_CHECKING:
    import numpy as np

    from teravox.pipeline.sources.source import Array

Order = Literal["C", "F"]


class FlatSource(Source):
    """Reads only the runs of bytes that a part is made of."""

    def __init__(
        self,
        path: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        begin: int,
        order: Order,
        axes: str = "",
        axes_are_said: bool = False,
        known: Known | None = None,
        gzip_from: int | None = None,
        spare: int = 0,
    ) -> None:
        """`begin` is where the array begins; of a packed file, in what is packed from byte `gzip_from` on.

        `spare` is what was needed to read the header.
        """
        self.place = path
        self.shape = shape
        self.dtype = dtype
        self.order = order
        self.axes = axes or usual_axes(len(shape), order)
        self.axes_are_said = axes_are_said
        self.known = known or Known()
        self._begin = begin
        self._spare = spare
        size = begin + bytes_of(shape, dtype)
        self._bytes: PlainBytes | GzipBytes
        if gzip_from is None:
            self._bytes = PlainBytes(path, LOCAL_LANES)
            self.block = self._natural([shape[self._axes_by_speed[0]]])
            self._check_size(self._bytes, size)
        else:
            self._bytes = GzipBytes(path, begin=gzip_from, size=size)
            self.block = self._natural([shape[axis] for axis in self._axes_by_speed[:2]])
        self.lanes = self._bytes.lanes

    def read(self, part: Part) -> Array:
        import numpy as np

        found = np.empty(size_of(part), self.dtype, order=self.order)
        by_speed = self._axes_by_speed
        slow_first = [part[axis] for axis in reversed(by_speed)]
        shape = [self.shape[axis] for axis in reversed(by_speed)]
        whole = 0  # axes, from the fastest on, that are read from end to end
        while whole < len(shape) - 1 and slow_first[-1 - whole] == slice(0, shape[-1 - whole]):
            whole += 1
        split = len(shape) - 1 - whole
        inner = math.prod(shape[split + 1 :]) * self.dtype.itemsize  # bytes of one step along the axis `split`
        run = (slow_first[split].stop - slow_first[split].start) * inner
        target = found.reshape(-1, order=self.order).view(np.uint8).data
        strides = [math.prod(shape[axis + 1 :]) * self.dtype.itemsize for axis in range(split)]
        outer = [range(one.start, one.stop) for one in slow_first[:split]]
        for number, place in enumerate(itertools.product(*outer)):
            start = sum(index * stride for index, stride in zip(place, strides, strict=True))
            start += slow_first[split].start * inner
            self._bytes.fill(target[number * run : (number + 1) * run], self._begin + start)
        return found

    def spare_bytes(self) -> int:
        return self._spare + (self._bytes.memory if isinstance(self._bytes, GzipBytes) else 0)

    def index_name(self) -> str | None:
        return self._bytes.index_name() if isinstance(self._bytes, GzipBytes) else None

    def make_index(self) -> bytes | None:
        return self._bytes.make_index() if isinstance(self._bytes, GzipBytes) else None

    def use_index(self, index: bytes) -> None:
        if isinstance(self._bytes, GzipBytes):
            self._bytes.use_index(index)

    def close(self) -> None:
        self._bytes.close()

    @property
    def _axes_by_speed(self) -> list[int]:
        """The axes, the one that lies closest together first."""
        axes = list(range(len(self.shape)))
        return axes[::-1] if self.order == "C" else axes

    def _natural(self, fastest: list[int]) -> tuple[int, ...]:
        block = [1] * len(self.shape)
        for axis, length in zip(self._axes_by_speed, fastest, strict=False):
            block[axis] = length
        return tuple(block)

    def _check_size(self, plain: PlainBytes, expected: int) -> None:
        size = plain.size
        if size < expected:
            plain.close()
            raise BadInput(f"{self.place} is cut off: it has {size:,} bytes, and its header tells of {expected:,}")
