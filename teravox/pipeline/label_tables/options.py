"""The options that count and count-merge share."""

from __future__ import annotations

from typing import Annotated

from teravox.pipeline.options import says

TableOutput = Annotated[
    str | None,
    says("File to write the whole table to, as FILE.csv or FILE.parquet.", form="file", short="o"),
]
SegmentProperties = Annotated[
    bool, says("Let Neuroglancer list, sort and filter the segments by their voxels (the million largest).")
]
