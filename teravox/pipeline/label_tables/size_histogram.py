"""How many labels there are of each size, as a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.label_tables.columns import radii_of
from teravox.pipeline.label_tables.export import replaced_file, require_file
from teravox.pipeline.label_tables.table import LabelTable
from teravox.pipeline.quality.page.plots import bars
from teravox.pipeline.storage.urls import normalize

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_BARS = 32
UNITS = ((1e6, "mm"), (1e3, "\u00b5m"), (1.0, "nm"))
STYLE = """svg { background: #fff; font: 11px sans-serif }
.bar { fill: #3a6ea5 } .tick { fill: #444 } .axis { fill: #000; font-size: 12px }"""


def check_histogram(url: str) -> None:
    """Raise BadUsage if a picture cannot be written there."""
    if not url.endswith(".svg"):
        raise BadUsage(f"--histogram: expected a file that ends in .svg, got {url}")
    require_file("--histogram", url)


def write_histogram(table: LabelTable, url: str) -> None:
    """Write bars of the labels by the radius of a ball with their volume.

    Labels that are cut by the border of the volume are left out where there are others, and the background is.
    """
    picture = draw_histogram(table).encode()
    with replaced_file(Path(normalize(url).removeprefix("file://")), "--histogram") as file:
        file.write(picture)


def draw_histogram(table: LabelTable) -> str:
    """The picture as SVG."""
    import numpy as np

    whole = "at_border" in table.index.columns and any(len(radii) for radii in _radii(table, whole=True))
    largest = max((float(radii.max(initial=0)) for radii in _radii(table, whole=whole)), default=0.0)
    unit, name = next((size, name) for size, name in UNITS if largest >= size or size == UNITS[-1][0])
    step = _round_up(largest / unit / MOST_BARS)
    counts = np.zeros(int(largest / unit / step) + 1, np.int64)
    for radii in _radii(table, whole=whole):
        counts += np.bincount((radii / unit / step).astype(np.int64), minlength=len(counts))
    shown = int(counts.sum())
    left_out = f"; {table.index.labels - shown:,} at the border are left out" if table.index.labels > shown else ""
    labels = [f"{number * step:g}" for number in range(len(counts))]
    across = f"radius in {name}, from the number on by {step:g}: {shown:,} labels{left_out}; heights are logarithmic"
    drawn: str = bars(counts.tolist(), labels, "Labels by their radius", across)
    drawn = drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return drawn.replace(">", f"><style>{STYLE}</style>", 1)


def _radii(table: LabelTable, *, whole: bool) -> Iterator[NDArray[np.float64]]:
    names = ("label", "voxels", *(("at_border",) if whole else ()))
    for group in table.index.groups:
        found = table.read(group, names)
        shown = found["label"] > 0
        if whole:
            shown &= found["at_border"] == 0
        yield radii_of(found["voxels"][shown], table.index.resolution)


def _round_up(step: float) -> float:
    """The next of 1, 2, 5, 10, 20 and so on."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= step)
