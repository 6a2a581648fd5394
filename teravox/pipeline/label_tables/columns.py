"""The columns of the table of labels, and of the one of their contacts, out of merged rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from teravox.pipeline.label_tables.plan import Counts
from teravox.pipeline.label_tables.table import COLUMNS, GREY, PARTNERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.label_contacts import Contacts
    from teravox.kernels.label_table import Rows
    from teravox.pipeline.label_tables.parquet import Columns

Nanometres = tuple[float, float, float]  # of a voxel, along x, y and z


def columns_of(counts: Counts) -> dict[str, str]:
    """The names and types of the columns of a table."""
    return COLUMNS | (PARTNERS if counts.contacts else {}) | (GREY if counts.values is not None else {})


def columns(rows: Rows, contacts: Contacts | None, counts: Counts, resolution: Nanometres) -> Columns:
    """The columns of rows."""
    import numpy as np

    from teravox.kernels.label_contacts import count_partners
    from teravox.kernels.label_table import centroids, deviations, means

    middles = centroids(rows)
    ends = [(low, high) for low, high in zip(counts.bounds.min, counts.bounds.max, strict=True)]
    sides = [axis for axis, (low, high) in enumerate(ends) if high - low > 1]  # one slice has no inside
    at_border = np.zeros(len(rows), np.int32)
    for axis in sides:
        low, high = ends[axis]
        at_border |= (rows["min"][:, axis] == low) | (rows["max"][:, axis] == high)
    found = {
        "label": rows["label"],
        "voxels": rows["voxels"],
        **{f"{end}_{axis}": rows[end][:, n] for end in ("min", "max") for n, axis in enumerate("xyz")},
        **{axis: middles[:, n] for n, axis in enumerate("xyz")},
        "radius": radii_of(rows["voxels"], resolution),
        "at_border": at_border,
    }
    if contacts is not None:
        found["contacts"] = count_partners(contacts, rows["label"])
    if counts.values is not None:
        found |= {"least": rows["least"], "most": rows["most"], "mean": means(rows), "sd": deviations(rows)}
    return found


def contact_columns(contacts: Contacts, resolution: Nanometres) -> Columns:
    """The columns of contacts."""
    x, y, z = resolution
    faces = contacts["faces"]
    return {
        "label": contacts["label"],
        "other": contacts["other"],
        "faces": faces.sum(axis=1),
        "area": faces[:, 0] * (y * z) + faces[:, 1] * (x * z) + faces[:, 2] * (x * y),
    }


def radii_of(voxels: NDArray[np.uint64], resolution: Nanometres) -> NDArray[np.float64]:
    """The radii of balls of so many voxels, in nanometres."""
    import numpy as np

    return np.asarray(np.cbrt(voxels * (math.prod(resolution) * 3 / (4 * math.pi))))
