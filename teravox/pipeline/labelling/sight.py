"""What live update needs of whatever classes are told apart by: voxels, or supervoxels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from teravox.pipeline.box import Vec
from teravox.pipeline.labelling.planes import Tile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Features = NDArray[np.float32]  # a row for each feature, a column for each sample
    Labels = NDArray[np.uint8]
    Columns = NDArray[np.uint32]

GoOn = Callable[[bool], bool]  # told whether the features that are needed next are known, it says whether to go on


class Seen(NamedTuple):
    """The features of a tile; where voxels share them, the column of each voxel, row by row."""

    features: Features
    columns: Columns | None = None


class Sight(Protocol):
    """The features of what is shown."""

    def see(self, tile: Tile) -> Seen:
        """The features of a tile of the mip that is labelled."""


class Lessons(Protocol):
    """What there is to learn from; it catches up with the labels step by step, the newest first."""

    def behind(self) -> list[Vec]:
        """The places whose labels have changed since, the one that changed last first."""

    def catch_up(self, place: Vec, go_on: GoOn) -> bool:
        """Learn what a place has; False where it was told not to go on, and so has not."""

    def samples(self) -> tuple[Features, Labels]:
        """The features of what is labelled, and the labels."""
