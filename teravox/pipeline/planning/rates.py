"""How long work takes: by the ledgers of earlier runs beside the layers, else by what was measured once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.planning.ratios import Ratios

FILE = "rates.toml"
BUILT_IN = "built in"
Amount = Annotated[float, Meta(ge=0)]


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a kind takes for each voxel of its pieces, on one core.

    Where pieces are no boxes, and where they are not known yet, voxels are those of the stage before.
    """

    cpu_ns: Amount
    ns: Amount  # on the clock, with local files
    bytes_in: Amount | None = None
    bytes_out: Amount | None = None  # where it writes what only experience tells the size of
    source: str = BUILT_IN  # where it comes from, for people

    def seconds(self, voxels: float) -> float:
        """How long a worker with one core of its own takes."""
        return max(self.ns, self.cpu_ns) * voxels / 1e9


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lies between a worker and the bytes."""

    request_seconds: Amount = 0.0  # until a request is answered
    side_by_side: Annotated[int, Meta(ge=1)] = 16  # requests of a worker at once
    bytes_per_second: Annotated[float, Meta(gt=0)] = 1e12  # of a worker


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file of rates."""

    form: Literal["teravox rates 1"]
    measured: str  # a date
    machine: str
    volume: str
    start_seconds: Amount  # of the processor, that each worker takes to load libraries
    task_seconds: Amount  # that each task takes besides: to lease, start and record it
    kinds: Mapping[str, Rate]  # by kind, and before that by kind and what it works on, as in "image transfer, copied"
    ratios: Ratios
    lines: Mapping[str, Line]  # by place

    def of(self, kind: str, sorts: Sequence[str]) -> Rate | None:
        """The rate of a kind that works on these sorts of things; None where none was measured."""
        names = [*(f"{kind}, {sort}" for sort in sorts), kind]
        return next((self.kinds[name] for name in names if name in self.kinds), None)


def rates_text() -> str:
    """The table of the package as it is, for people to edit."""
    return files("teravox.pipeline.planning").joinpath(FILE).read_text()


def read_rates(path: str | None = None) -> Rates:
    """The rates in a file, or the built-in ones; BadUsage says what is wrong with the file."""
    try:
        text = Path(path).read_text() if path else rates_text()
        return msgspec.convert(tomllib.loads(text), Rates)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadUsage(f"--rates: {path} is no file of rates: {error}. Begin with: teravox plan --show-rates") from None
