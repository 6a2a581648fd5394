"""A kind whose tasks do nothing, to see what a worker costs by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.job import Job
from teravox.pipeline.options import Layer, says


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of a piece."""

    number: int


class Nothing(Job[Number], frozen=True):
    """Do nothing, many times."""

    layer: Layer
    count: Annotated[int, Meta(ge=1), says("How many tasks.")] = 1

    def pieces(self) -> Sequence[Number]:
        return [Number(number) for number in range(self.count)]

    def memory(self, piece: Number) -> int:  # noqa: ARG002  # all pieces are alike
        return 1

    def run(self, piece: Number) -> None:
        """There is nothing to do."""

    def outputs(self, piece: Number) -> Sequence[str]:  # noqa: ARG002  # all pieces are alike
        return []
