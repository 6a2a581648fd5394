"""What came of a command line, and a kind to try options of every sort on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

SAMPLE = '''"""A kind for tests of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.options import Bounds, Layer, Memory, Mip, says


class Paint(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Paint a layer in one color.

    It has an option of every sort.

        teravox paint ./wall --color red
    """

    layer: Layer
    mip: Mip = 0
    bounds: Bounds = None
    shape: Annotated[Vec, says("Size of a piece.")] = (10, 10, 10)
    color: Annotated[Literal["red", "green"], says("Which color.")] = "red"
    coats: Annotated[Annotated[int, Meta(ge=1, le=3)] | None, says("How often.", short="c")] = None
    dry: Annotated[bool, says("Whether it dries.")] = True
    labels: Annotated[tuple[Annotated[int, Meta(gt=0)], ...], says("Labels to paint.")] = ()
    thickness: Annotated[float, Meta(ge=0, lt=1), says("In meters.")] = 0.5
    every: Annotated[float, says("How often.", form="seconds")] = 90.0
    memory_limit: Memory = 3_500_000_000

    def __post_init__(self) -> None:
        if self.color == "green" and self.mip == 5:
            raise BadUsage("--color: there is no green at mip 5")

    @property
    def wall(self) -> Path:
        return Path(self.layer.removeprefix("file://"))

    def prepare(self) -> None:
        self.wall.mkdir(exist_ok=True)

    def pieces(self) -> Sequence[Box]:
        return Grid(self.bounds or Box((0, 0, 0), (20, 10, 10)), self.shape)

    def memory(self, piece: Box) -> int:
        return piece.voxels * 1000

    def outputs(self, piece: Box) -> Sequence[str]:
        return [str(piece)]

    def run(self, piece: Box) -> None:
        if self.coats == 2 and piece.min[0] == 0:
            raise ValueError("the wall is wet")
        (self.wall / str(piece)).write_text(self.color)
'''


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]
