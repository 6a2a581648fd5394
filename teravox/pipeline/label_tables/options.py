"""The options that count and count-merge share."""

from __future__ import annotations

from typing import Annotated

from teravox.pipeline.options import says

TableOutput = Annotated[
    str | None,
    says("File to write the whole table to, as FILE.csv or FILE.parquet.", form="file", short="o"),
]
ContactsOutput = Annotated[
    str | None,
    says(
        "Count which labels touch each other, and over how many faces, and write that to a file, as FILE.csv or "
        "FILE.parquet. The table gets the number of contacts of each label.",
        form="file",
    ),
]
HistogramOutput = Annotated[
    str | None,
    says("Draw how many labels there are of each radius, as FILE.svg.", form="file"),
]
SegmentProperties = Annotated[
    bool,
    says("Let Neuroglancer list, sort and filter the segments by the columns of the table (the million largest)."),
]
