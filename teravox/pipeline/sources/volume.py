"""A source as a volume of x, y, z and channel, whatever the order of its own axes."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources.axes import check_axes
from teravox.pipeline.sources.source import Part, Source, bytes_of
from teravox.pipeline.storage.side_by_side import do_all

if TYPE_CHECKING:
    from teravox.pipeline.sources.source import Array

Lengths = tuple[float, float, float]


class Volume:
    """An open source; use it in a `with` statement."""

    def __init__(self, source: Source, *, axes: str | None = None, time: int | None = None) -> None:
        self.source = source
        self.axes = check_axes(axes, source.shape, source.place) if axes else source.axes
        self.axes_are_said = bool(axes) or source.axes_are_said
        if not self.axes:
            raise BadUsage(
                f"{source.place} has {len(source.shape)} axes, of {' x '.join(map(str, source.shape))}, without names: "
                "say --axes, such as czyx where the channel is the first and x the last"
            )
        self._time = self._choose_time(time)
        self.size: Vec = (self._length("x"), self._length("y"), self._length("z"))
        self.channels = self._length("c")
        self.dtype = source.dtype
        self.block: Vec = (self._block("x"), self._block("y"), self._block("z"))
        if 0 in source.shape:
            raise BadInput(f"{source.place} is empty: it has {' x '.join(map(str, source.shape))} voxels")

    @property
    def known_resolution(self) -> tuple[float | None, float | None, float | None]:
        """Nanometres of a voxel in x, y, z, as far as the metadata say them."""
        return (self._step("x"), self._step("y"), self._step("z"))

    @property
    def known_offset(self) -> Lengths:
        """Where the first voxel lies, in voxels; 0 where the metadata do not say it."""
        return (self._start("x"), self._start("y"), self._start("z"))

    @property
    def closest(self) -> str:
        """The axes of space, the one that lies closest together first."""
        axes = self.axes if self.source.order == "F" else self.axes[::-1]
        return "".join(axis for axis in axes if axis in "xyz") + "".join(a for a in "xyz" if a not in axes)

    def turn_bytes(self) -> int:
        """The most memory that one thread of `read` takes."""
        source = self.source
        return source.lane_bytes() + 2 * max(source.turn, self._block_bytes())

    def read(self, box: Box, out: Array, lanes: int) -> None:
        """Fill an array of x, y, z and channel with a box, counted from the first voxel; in so many threads."""
        from teravox.kernels.cast import cast_into

        self._refuse_outside(box)

        def take(part: Part) -> None:
            voxels = self.source.read(part)
            try:
                cast_into(out[self._place_of(part, box)], self._turned(voxels))
            except ValueError as error:
                raise BadInput(f"{self.source.place}: {error}; choose another --data-type") from None

        turns = self._turns(self._part(box))
        if min(lanes, self.source.lanes) > 1:
            do_all(take, turns, min(lanes, self.source.lanes))
        else:  # here, so that a source can have threads of its own
            for part in turns:
                take(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.source.close()

    def _choose_time(self, time: int | None) -> int:
        if "t" not in self.axes:
            if time is not None:
                raise BadUsage(f"--time: {self.source.place} has no axis of time; leave it out")
            return 0
        points = self.source.shape[self.axes.index("t")]
        if time is None and points > 1:
            raise BadUsage(
                f"{self.source.place} has {points} time points: say --time 0 to --time {points - 1}; "
                "or, if they are slices or channels, --axes"
            )
        if time is not None and not 0 <= time < points:
            raise BadUsage(f"--time: {self.source.place} has time points 0 to {points - 1}, got {time}")
        return time or 0

    def _length(self, letter: str) -> int:
        return self.source.shape[self.axes.index(letter)] if letter in self.axes else 1

    def _block(self, letter: str) -> int:
        return max(1, self.source.block[self.axes.index(letter)]) if letter in self.axes else 1

    def _block_bytes(self) -> int:
        block = tuple(max(1, min(b, n)) for b, n in zip(self.source.block, self.source.shape, strict=True))
        return bytes_of(block, self.dtype)

    def _step(self, letter: str) -> float | None:
        steps = self.source.known.steps
        return steps[self.axes.index(letter)] if steps and letter in self.axes else None

    def _start(self, letter: str) -> float:
        origin, step = self.source.known.origin, self._step(letter)
        start = origin[self.axes.index(letter)] if origin and letter in self.axes else None
        return start / step if start is not None and step else 0.0

    def _refuse_outside(self, box: Box) -> None:
        if box.is_empty or box.intersect(Box((0, 0, 0), self.size)) != box:
            raise ValueError(f"the box {box} does not lie within {self.size} voxels")

    def _part(self, box: Box) -> Part:
        """A box in the source's own axes."""
        ranges = {letter: slice(a, b) for letter, a, b in zip("xyz", box.min, box.max, strict=True)}
        ranges["c"] = slice(0, self.channels)
        ranges["t"] = slice(self._time, self._time + 1)
        return tuple(ranges[letter] for letter in self.axes)

    def _place_of(self, part: Part, box: Box) -> tuple[slice, ...]:
        """Where a part of the source lies in the array of a box."""
        at = dict(zip(self.axes, part, strict=True))
        place = []
        for letter, low in zip("xyz", box.min, strict=True):
            one = at.get(letter, slice(0, 1))
            start = low if letter in at else 0
            place.append(slice(one.start - start, one.stop - start))
        place.append(at.get("c", slice(0, 1)))
        return tuple(place)

    def _turned(self, voxels: Array) -> Array:
        """An array of the source's axes as one of x, y, z and channel; nothing is copied."""
        letters = self.axes
        if "t" in letters:
            voxels = voxels.squeeze(letters.index("t"))
            letters = letters.replace("t", "")
        voxels = voxels.transpose([letters.index(letter) for letter in "xyzc" if letter in letters])
        return voxels[tuple(slice(None) if letter in letters else None for letter in "xyzc")]

    def _turns(self, part: Part) -> Iterator[Part]:
        """The part in pieces that are read at once: whole blocks, as many as lie close together up to the size of a turn."""
        block = [max(1, b) for b in self.source.block]
        extent = [one.stop - one.start for one in part]
        steps = list(block)
        axes = range(len(part))
        for axis in reversed(axes) if self.source.order == "C" else axes:
            one = math.prod(min(s, n) for s, n in zip(steps, extent, strict=True)) * self.dtype.itemsize
            times = max(1, min(self.source.turn // one, -(-extent[axis] // block[axis]) + 1))
            steps[axis] = block[axis] * times
        return itertools.product(*(_cut(one, step) for one, step in zip(part, steps, strict=True)))


def _cut(one: slice, step: int) -> list[slice]:
    """A range in ranges that end where multiples of the step are."""
    ends = [*range(one.start // step * step + step, one.stop, step), one.stop]
    return [slice(a, b) for a, b in zip([one.start, *ends], ends, strict=False)]


def rounded_offset(volume: Volume) -> Vec:
    """The offset that the metadata say, in whole voxels; a fraction that is lost is logged."""
    exact = volume.known_offset
    x, y, z = (round(number) for number in exact)
    if any(abs(a - b) > 0.01 for a, b in zip(exact, (x, y, z), strict=True)):
        said = ",".join(f"{number:g}" for number in exact)
        logging.getLogger(__name__).warning(
            "%s begins at %s voxels, which is rounded to %d,%d,%d; --offset says otherwise",
            *(volume.source.place, said, x, y, z),
        )
    return (x, y, z)
