"""What pieces took that were run for real, with everything that they write going to a scratch."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import msgspec

from teravox.pipeline.planning.earlier_runs import voxels_of
from teravox.pipeline.planning.rates import Rate
from teravox.pipeline.units import say_bytes, say_seconds


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A piece that was run."""

    voxels: int | None
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    promised: int  # bytes that its kind said it would need
    bytes_in: int
    bytes_out: int


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What the pieces of a sample took for each voxel, and how much that differs."""

    runs: tuple[Run, ...]
    scratch: str  # what was written went there

    @property
    def rate(self) -> Rate | None:
        """None where pieces are no boxes, so that they cannot be compared."""
        voxels = sum(run.voxels or 0 for run in self.runs)
        if not voxels or any(run.voxels is None for run in self.runs):
            return None
        return Rate(
            cpu_ns=sum(run.cpu_seconds for run in self.runs) / voxels * 1e9,
            ns=sum(run.seconds for run in self.runs) / voxels * 1e9,
            bytes_in=sum(run.bytes_in for run in self.runs) / voxels,
            bytes_out=sum(run.bytes_out for run in self.runs) / voxels,
            source="a sample of 1 piece" if len(self.runs) == 1 else f"a sample of {len(self.runs):,} pieces",
        )

    def say(self) -> dict[str, str]:
        """The fit and its spread, for people."""
        said = {
            "pieces": f"{len(self.runs):,}, written to {self.scratch}",
            "memory": f"{_range([run.peak_bytes for run in self.runs], say_bytes)} at the most, of "
            f"{say_bytes(max(run.promised for run in self.runs))} that were promised",
            "seconds": _range([run.seconds for run in self.runs], say_seconds),
        }
        rate = self.rate
        if rate is None:
            return said
        sizes = [run.voxels or 1 for run in self.runs]
        for word, values, each in (
            ("CPU", [run.cpu_seconds * 1e9 for run in self.runs], "ns"),
            ("read", [run.bytes_in for run in self.runs], "bytes"),
            ("written", [run.bytes_out for run in self.runs], "bytes"),
        ):
            ratios = [value / size for value, size in zip(values, sizes, strict=True)]
            said[word] = (
                f"{sum(values) / sum(sizes):.3g} {each} a voxel, {min(ratios):.3g} to {max(ratios):.3g}, "
                f"spread {_spread(ratios):.0%}"
            )
        return said


def make_run(piece: object, **measured: float) -> Run:
    """A piece with what was measured of it."""
    return msgspec.convert({"voxels": voxels_of(piece), **measured}, Run)


def _spread(ratios: Sequence[float]) -> float:
    """The standard deviation, as a part of the mean."""
    mean = statistics.fmean(ratios)
    return statistics.pstdev(ratios) / mean if mean else 0.0


def _range(values: Sequence[float], say: Callable[[float], str]) -> str:
    low, high = say(min(values)), say(max(values))
    return low if low == high else f"{low} to {high}"
