from __future__ import annotations

from pathlib import Path

BLUR = '''
"""A kind for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.job import Job
from teravox.pipeline.options import Dest, Source, says


class Blur(Job[Box], frozen=True):
    """Blur a layer."""

    source: Source
    dest: Dest
    sigma: Annotated[float, Meta(ge=0), says("Width of the blur, in voxels.")] = 1.5
    factor: Annotated[Vec, says("How many voxels become one.")] = (2, 2, 1)
    method: Annotated[Literal["mean", "median"], says("How values are joined.")] = "mean"
    labels: Annotated[tuple[int, ...], says("Labels to keep; none means all.")] = ()
    bounds: Annotated[Box | None, says("Part of the volume.")] = None

    def pieces(self) -> Sequence[Box]:
        return Grid(self.bounds or Box((0, 0, 0), (10, 10, 10)), (4, 4, 4))

    def memory(self, piece: Box) -> int:
        return 1000

    def run(self, piece: Box) -> None:
        raise AssertionError("a message ran")

    def outputs(self, piece: Box) -> Sequence[str]:
        return [str(piece)]
'''


def write_kind(file: Path, text: str = BLUR) -> str:
    """Write a plugin's file; its name for --plugin."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return str(file)
