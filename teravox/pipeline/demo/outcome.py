"""What a demo has come to, in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from teravox.pipeline.errors import BadUsage

REPORT = "quality/report.json"
SCENE = "scene.json"


class _Vi(msgspec.Struct):
    split: float
    merge: float
    total: float


class _Labels(msgspec.Struct):
    in_a: int
    in_b: int
    vi: _Vi


class _Report(msgspec.Struct):
    labels: _Labels


def say_outcome(folder: Path) -> Iterator[str]:
    """How good it is, as far as the pipeline file still compares it with the truth; and how to see it."""
    report = folder / REPORT
    if report.is_file():
        labels = msgspec.json.decode(report.read_bytes(), type=_Report).labels
        yield (
            f"VI {labels.vi.total:.2f} bits: {labels.vi.split:.2f} by splits, {labels.vi.merge:.2f} by merges; "
            f"{labels.in_b:,} bodies were found, and {labels.in_a:,} are there."
        )
    if (folder / SCENE).is_file() and not _has_client():
        yield "To see the scene in the browser, first: pip install 'teravox[view]'"


def _has_client() -> bool:
    from teravox.pipeline.view.client import find_client

    try:
        find_client()
    except BadUsage:
        return False
    return True
