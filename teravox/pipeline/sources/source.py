"""What every format promises of an image: how it lies there, and any part of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from teravox.pipeline.storage.side_by_side import LOCAL_LANES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the source's data type

Part = tuple[slice, ...]  # of each axis: start and stop, within the shape
MissingSlices = Literal["fail", "blank", "repeat"]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What of a file or folder is meant, and what is done about its gaps; each format takes some of it."""

    dataset: str | None = None
    mip: int = 0
    missing_slices: MissingSlices = "fail"
    fill_missing: bool = False
    timestamp: str | None = None


class Known(msgspec.Struct, frozen=True):
    """What the metadata say of each axis, in nanometres; None where they say nothing."""

    steps: tuple[float | None, ...] = ()
    origin: tuple[float | None, ...] = ()


class Source(Protocol):
    """An image in its own order of axes. It is opened in each process that reads it, and nothing is written to it.

    What is wrong with the data raises BadInput, which names the file.
    """

    place: str  # how messages name it
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    block: tuple[int, ...]  # what is read or decoded as one; the first begins at 0
    axes: str = ""  # a letter of t, c, z, y, x for each axis; empty: nobody can say
    axes_are_said: bool = False  # by the file or by its format, and not by custom only
    order: Literal["C", "F"] = "C"  # whether the last or the first axis lies closest together
    known: Known = Known()
    lanes: int = LOCAL_LANES  # more threads than this gain nothing
    turn: int = 1 << 23  # bytes that are read at a time, unless one block has more

    def read(self, part: Part) -> Array:
        """The voxels of a part. Threads may call it side by side, at most `lanes` of them."""
        ...

    def check(self) -> None:
        """Look at what can be looked at quickly before anything is queued."""
        return

    def spare_bytes(self) -> int:
        """Memory that it takes as long as it is open."""
        return 0

    def lane_bytes(self) -> int:
        """The most memory that reading one block, or a part that is smaller, takes beside what is returned."""
        return 0

    def make_index(self) -> bytes | None:
        """What would help the readers of other pieces to find their place, if anything; it may take a while."""
        return None

    def index_name(self) -> str | None:
        """A name that changes with the file, for an index that is worth making; None: there is none."""
        return None

    def use_index(self, index: bytes) -> None:  # noqa: ARG002 - for those that have one
        """Take an index that another process has made."""
        return

    def close(self) -> None:
        """Let go of files."""
        return


def bytes_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    return math.prod(shape) * dtype.itemsize


def size_of(part: Part) -> tuple[int, ...]:
    return tuple(one.stop - one.start for one in part)
