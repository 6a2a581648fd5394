"""The figures of a report as JSON, without its pictures."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.quality.measure import Quality


def encode_figures(seen: Quality) -> bytes:
    """Everything that was measured; a score that has no bound is the word `infinite`, and one that is unknown is null."""
    told = {
        name: getattr(seen, name)
        for name in ("description", "made", "samples", "seed", "stored", "sizes", "jobs", "verified", "absent")
    }
    ratios = [mip.ratio for mip in seen.stored]
    seams = [msgspec.to_builtins(seam) | {"score": _finite(seam.score)} for seam in seen.seams]
    return msgspec.json.encode(told | {"ratios": ratios, "seams": seams})


def _finite(score: float | None) -> float | str | None:
    return "infinite" if score is not None and math.isinf(score) else score
