"""The moment of which the bodies of a volume are wanted that people go on proofreading."""

from __future__ import annotations

from datetime import UTC, datetime

from teravox.pipeline.errors import BadUsage

SUPERVOXELS = "supervoxels"


def read_moment(text: str | None, url: str) -> int | None:
    """Its seconds since 1970; None where the supervoxels are wanted, which nobody changes."""
    if text is None:
        raise BadUsage(
            f"--timestamp: the bodies of {url} change as people proofread them: say of which moment you want them, like "
            f"2026-01-31T12:00Z, or {SUPERVOXELS} for the pieces that bodies are made of"
        )
    if text == SUPERVOXELS:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage(
            f"--timestamp: expected a time like 2026-01-31T12:00Z, or {SUPERVOXELS}, got {text[:80]!r}"
        ) from None
    if moment.tzinfo is None:
        raise BadUsage(f"--timestamp: {text} is of no time zone: write {text}Z for UTC, or {text}+01:00")
    if moment > datetime.now(UTC):
        raise BadUsage(f"--timestamp: {text} is still to come, and bodies may change until then")
    if moment.microsecond:
        raise BadUsage(f"--timestamp: {text} is finer than a second, which is what Graphene servers know")
    return int(moment.timestamp())
