"""What the stages of an evaluation are all told; each is given the same, so that they find each other's files."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Vec
from teravox.pipeline.job import Job
from teravox.pipeline.options import Bounds, FillMissing, Memory, says

P = TypeVar("P", bound=msgspec.Struct)

Truth = Annotated[str, says("Layer that is taken as the truth; it is never written to.", form="layer", positional=True)]
Tested = Annotated[str, says("Layer that is compared with it; it is never written to.", form="layer", positional=True)]
Folder = Annotated[str, says("Folder for the report and its tables; not within A or B.", form="layer", positional=True)]
MipA = Annotated[int, Meta(ge=0), says("Level of A that is compared; 0 is full size.")]
MipB = Annotated[
    Annotated[int, Meta(ge=0)] | None,
    says("Level of B. Default: the one whose voxels are as large as those of A at --mip."),
]
PieceShape = Annotated[Vec | None, says("Size of a piece, in voxels of --mip. Default: by --memory and --heat-map.")]
IgnoreLabel = Annotated[
    tuple[Annotated[int, Meta(ge=0)], ...],
    says(
        "Labels of A whose voxels do not count for VI, Rand and the heat map, with commas between them; '' ignores none. "
        "The figures of foreground and objects are of all voxels: 0 is background there."
    ),
]
IgnoreEmpty = Annotated[
    bool,
    says("Do not count for VI, Rand and the heat map where B is 0. Default: 0 counts as one large label of B."),
]
BodyThreshold = Annotated[
    int,
    Meta(ge=0),
    says("Labels of A with fewer voxels than this do not count for VI and Rand; the heat map has them all."),
]
Mask = Annotated[
    str | None,
    says(
        "Layer that says where to compare: where it is not 0. Its voxels may be as large as those of A, or a whole "
        "number of times larger. Default: everywhere.",
        form="layer",
    ),
]
Boundary = Annotated[
    Vec,
    says(
        "Leave out voxels that have another label of A so many voxels away or nearer, in x,y,z: truth drawn by hand is "
        "not exact there."
    ),
]
HeatMap = Annotated[
    Vec | None,
    says(
        "Size of the regions of a heat map in voxels of --mip, like 256,256,256: each gets the VI of what is connected "
        "within it. Default: no heat map."
    ),
]
Probabilities = Annotated[
    bool,
    says(
        "B holds the probability that a voxel is foreground, and A is foreground where it is not 0: uint8 and uint16 "
        "from 0 to their largest number, float32 from 0 to 1."
    ),
]
SameClasses = Annotated[
    bool,
    says(
        "Labels mean the same in both layers, as in maps of classes: report how well each class is found, and with which "
        "others it is confused."
    ),
]
Channel = Annotated[int, Meta(ge=0), says("Channel of B that holds the probability, from 0 up.")]
Threshold = Annotated[
    float, Meta(ge=0, le=1), says("Probability from which on a voxel of B counts as foreground; see --probabilities.")
]
Worst = Annotated[int, Meta(ge=0), says("How many of the labels that are split and merged worst the report lists.")]


class Evaluation(Job[P], Generic[P], frozen=True, rename={"memory_limit": "memory"}):
    """The options of all stages."""

    a: Truth
    b: Tested
    dest: Folder
    mip: MipA = 0
    mip_b: MipB = None
    ignore_label: IgnoreLabel = (0,)
    ignore_empty: IgnoreEmpty = False
    body_threshold: BodyThreshold = 0
    mask: Mask = None
    boundary: Boundary = (0, 0, 0)
    heat_map: HeatMap = None
    classes: SameClasses = False
    probabilities: Probabilities = False
    channel: Channel = 0
    threshold: Threshold = 0.5
    worst: Worst = 100
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: PieceShape = None
    memory_limit: Memory = 2_000_000_000

    @property
    def folder(self) -> str:
        """Where the stages of one evaluation leave files for each other, within DEST; others have folders of their own."""
        return f"stages/{hashlib.sha256(msgspec.json.encode(self.told, order='sorted')).hexdigest()[:16]}"

    @property
    def told(self) -> dict[str, Any]:  # as many types as options
        """What all stages are told, but for DEST."""
        same = msgspec.json.decode(msgspec.json.encode(self), type=type(self))  # 1 and 1.0 are one threshold
        return {name: getattr(same, name) for name in Evaluation.__struct_fields__ if name != "dest"}
