"""Which labelled voxels are learnt from: all of them, or so many of each class as chance says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.learning.labels import Labels

    Places = NDArray[np.int64]  # a row of x, y and z for each voxel
    Numbers = NDArray[np.uint8]


class Chosen(NamedTuple):
    """Labelled voxels, and how many there are."""

    places: Places
    classes: Numbers  # from 1 on
    labelled: tuple[int, ...]  # by class, the first one first, the voxels that have its label

    def by_cells(self, side: int) -> Iterator[tuple[Places, Numbers]]:
        """The voxels of each cell of a grid that has any, in the order of z, y and x."""
        import numpy as np

        order = order_by_cells(self.places, side)
        starts = np.flatnonzero((np.diff(self.places[order] // side, axis=0) != 0).any(axis=1)) + 1
        for some in np.split(order, starts):
            if len(some):
                yield self.places[some], self.classes[some]


def order_by_cells(places: Places, side: int) -> NDArray[np.intp]:
    """The order in which voxels are learnt from, on which a classifier depends where chance takes a part of them."""
    import numpy as np

    return np.lexsort((*places.T, *(places // side).T))


def choose(labels: Labels, box: Box, at_most: int | None, seed: int) -> Chosen:
    """The labelled voxels of a box, of each class no more than `at_most`.

    Which ones does not depend on the chunks of the labels. No more than some times `at_most` of each class are held.
    """
    import numpy as np

    counts = np.zeros(256, np.int64)
    held: list[tuple[Places, Numbers]] = []
    waiting = 0  # voxels since there were last made fewer
    for found in labels.labelled_voxels():
        inside = ((found.places >= box.min) & (found.places < box.max)).all(axis=1)
        counts += np.bincount(found.classes[inside], minlength=256)
        held.append((found.places[inside], found.classes[inside]))
        waiting += len(held[-1][1])
        if at_most is not None and waiting > 4 * at_most:
            held, waiting = [_fewer(held, at_most, seed)], 0
    places, classes = _fewer(held, at_most, seed)
    number = len(labels.classes) or int(np.flatnonzero(counts).max(initial=0))
    return Chosen(places, classes, tuple(map(int, counts[1 : number + 1])))


def _fewer(held: list[tuple[Places, Numbers]], at_most: int | None, seed: int) -> tuple[Places, Numbers]:
    """Of each class those with the lowest lots."""
    import numpy as np

    from teravox.kernels.learning.chance import draw_lots

    places = np.concatenate([np.empty((0, 3), np.int64), *(some for some, _ in held)])
    classes = np.concatenate([np.empty(0, np.uint8), *(some for _, some in held)])
    if at_most is None or np.bincount(classes).max(initial=0) <= at_most:
        return places, classes
    order = np.lexsort((draw_lots(places, seed), classes))
    first = np.searchsorted(classes[order], classes[order])
    kept = np.sort(order[np.arange(len(order)) - first < at_most])
    return places[kept], classes[kept]
