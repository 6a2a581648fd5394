"""What the stages of labelling components are all told; each is given the same, so that they find each other's files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Vec
from teravox.pipeline.job import AnyJob, Job
from teravox.pipeline.options import Bounds, Dest, FillMissing, Memory, Mip, Source, says

P = TypeVar("P", bound=msgspec.Struct)

PieceShape = Annotated[
    Vec | None,
    says("Size of a piece, in voxels of --mip: a multiple of the chunks of DEST. Default: by --memory."),
]
DestChunkSize = Annotated[
    Vec | None, says("Size of a chunk of DEST, in voxels. Default: that of the chunks of SOURCE.")
]
Connectivity = Annotated[
    int, says("Which voxels touch: 6, those that share a face; 18, an edge too; 26, a corner too.")
]
ThresholdGte = Annotated[
    float | None, says("Label where voxels are this or more, whatever they hold. Default: each value on its own.")
]
ThresholdLte = Annotated[
    float | None, says("Label where voxels are this or less, whatever they hold. Default: each value on its own.")
]
StrongGte = Annotated[
    float | None,
    says(
        "Hysteresis: keep only components with a voxel of this or more, wherever in the volume it is; --dust counts only "
        "such voxels then."
    ),
]
StrongLte = Annotated[
    float | None,
    says("Likewise, with a voxel of this or less; with --strong-gte one voxel must be both. For dark things."),
]
Dust = Annotated[int, Meta(ge=0), says("Drop components of fewer voxels than this, counted in the whole volume.")]
Group = Annotated[
    Vec, says("How many boxes, then groups of boxes, a `resolve` task joins in x,y,z: fewer need less memory.")
]
DestEncoding = Annotated[
    Literal["compressed_segmentation", "compresso", "crackle", "raw"], says("How the chunks of DEST are encoded.")
]


class Labelling(Job[P], Generic[P], frozen=True, rename={"memory_limit": "memory"}):
    """The options of all stages."""

    source: Source
    dest: Dest
    mip: Mip = 0
    connectivity: Connectivity = 6
    threshold_gte: ThresholdGte = None
    threshold_lte: ThresholdLte = None
    strong_gte: StrongGte = None
    strong_lte: StrongLte = None
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: PieceShape = None
    chunk_size: DestChunkSize = None
    memory_limit: Memory = 3_500_000_000
    dust: Dust = 0

    @property
    def folder(self) -> str:
        """Where the stages of one labelling leave files for each other, within DEST; others have folders of their own."""
        names = [name for name in Labelling.__struct_fields__ if name not in ("dest", "dust")]
        return f"ccl/{_digest(self, names)}{'-sized' if self.dust else ''}"

    @property
    def is_binary(self) -> bool:
        return self.threshold_gte is not None or self.threshold_lte is not None

    @property
    def has_strong(self) -> bool:
        return self.strong_gte is not None or self.strong_lte is not None

    @property
    def least(self) -> int:
        """How many voxels a component must have to be kept; only strong ones count where these are told apart."""
        return max(self.dust, 1) if self.has_strong else self.dust


class Joining(Labelling[P], Generic[P], frozen=True):
    """The options of the stages that know of the whole."""

    group: Group = (8, 8, 8)

    @property
    def joined(self) -> str:
        """Where these stages leave files for each other."""
        return f"{self.folder}/joined-{_digest(self, ('dust', 'group'))}"


def _digest(job: AnyJob, names: Iterable[str]) -> str:
    same = msgspec.json.decode(msgspec.json.encode(job), type=type(job))  # 5 and 5.0 are one threshold
    said = {name: getattr(same, name) for name in names}
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]
