"""What a comparison of centres is told."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.centres.options import SliceAxis
from teravox.pipeline.job import Job
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.options import Bounds, Memory, Mip, says


class Slices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece: the slices from the first up to, and without, the last; those of them that have true centres are compared."""

    number: int
    first: int
    last: int
    centres: int  # in them, true ones and others


class Comparing(Job[Slices], frozen=True, rename={"memory_limit": "memory"}):
    """The options of a comparison of centres."""

    truth: Annotated[
        KnownFile | str,
        says(
            "True centres: a CSV file of this machine with columns x, y and z in voxels of --mip, counted from 0, or a "
            "layer of true objects whose centres were found by `image centres`.",
            form="layer",
            positional=True,
        ),
    ]
    found: Annotated[
        KnownFile | str, says("Centres that are compared with them, given likewise.", form="layer", positional=True)
    ]
    dest: Annotated[
        str,
        says(
            "Folder for the report and its table; not within a layer that is compared.", form="layer", positional=True
        ),
    ]
    mip: Mip = 0
    axis: SliceAxis = "z"
    diameter: Annotated[
        float, Meta(gt=0), says("Diameter of the discs around centres, in pixels of the finer axis of a slice.")
    ] = 10.0
    within: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        says(
            "How far a centre may be from a true one to count as found, in the same pixels. Default: half of --diameter."
        ),
    ] = None
    bounds: Bounds = None
    memory_limit: Memory = 2_000_000_000

    @property
    def reach(self) -> float:
        return self.diameter / 2 if self.within is None else self.within
