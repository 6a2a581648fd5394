"""Centres to be compared, of a layer where they were found or of a table of points."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box
from teravox.pipeline.centres.options import Axis, plane_of
from teravox.pipeline.centres.table import CentreTable
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.layers.layer import Layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.float64]

BYTES = 150  # that a centre takes while it is read and dealt out


class GivenCentres(NamedTuple):
    """Places in voxels, by slice."""

    name: str
    slices: NDArray[np.int64]  # ascending
    points: Places  # row and column of each
    bounds: Box | None  # in which they were looked for
    resolution: tuple[float, float, float] | None

    def between(self, first: int, last: int) -> tuple[NDArray[np.int64], Places]:
        """The slices and points of those from the first slice up to, and without, the last."""
        import numpy as np

        some = slice(*np.searchsorted(self.slices, [first, last]))
        return self.slices[some], self.points[some]


def read_centres(
    given: KnownFile | str, word: str, axis: Axis, mip: int, bounds: Box | None, memory: int
) -> GivenCentres:
    """All centres within the bounds; `word` is what the one who gave them calls them."""
    import numpy as np

    if isinstance(given, KnownFile):
        places, found, resolution, name = _read_csv(given, word), None, None, given.path
    else:
        layer = Layer.open(given, fresh=True)
        table = CentreTable.open(layer, mip, axis)
        parts = [np.empty((3, 0))]
        room = memory // BYTES
        for group in table.groups():
            columns = np.stack([group[name] for name in "xyz"])
            parts.append(columns[:, _within(columns, bounds)])
            room -= parts[-1].shape[1]
            if room < 0:
                raise BadUsage(
                    f"{word}: {layer.url} has more centres than --memory has room for: give it more, or compare fewer "
                    "slices with --bounds"
                )
        places, found, resolution, name = (
            np.concatenate(parts, axis=1),
            table.index.bounds,
            table.index.resolution,
            layer.url,
        )
    places = places[:, _within(places, bounds)]
    column, row = plane_of(axis)
    slices = np.floor(places["xyz".index(axis)] + 0.5).astype(np.int64)
    order = np.lexsort((places[column], places[row], slices))
    return GivenCentres(name, slices[order], places[[row, column]].T[order], found, resolution)


def _within(places: Places, bounds: Box | None) -> NDArray[np.bool_]:
    """Which centres lie in voxels of a box."""
    import numpy as np

    if bounds is None:
        return np.ones(places.shape[1], np.bool_)
    low, high = (np.array(corner)[:, np.newaxis] - 0.5 for corner in (bounds.min, bounds.max))
    inside: NDArray[np.bool_] = np.all((places >= low) & (places < high), axis=0)
    return inside


def _read_csv(file: KnownFile, word: str) -> Places:
    """The columns x, y and z of a table; BadUsage says what it lacks."""
    import numpy as np

    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadUsage(f"{word}: {file.path} is no text; expected a CSV file with columns x, y and z") from None
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or []}
    if not {"x", "y", "z"} <= set(names):
        raise BadUsage(
            f"{word}: {file.path} has no columns x, y and z in its first line; their voxels are counted from 0"
        )
    rows = []
    for number, row in enumerate(reader, 2):
        try:
            rows.append([float(row[names[axis]]) for axis in "xyz"])
        except (TypeError, ValueError):
            raise BadUsage(f"{word}: line {number} of {file.path} has no numbers in x, y and z") from None
    places = np.array(rows, np.float64).reshape(-1, 3).T
    if not (np.abs(places) < 2**31).all():
        raise BadUsage(f"{word}: {file.path} has places that no volume has")
    return places
