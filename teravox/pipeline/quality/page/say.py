"""Numbers as the page says them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from teravox.pipeline.quality.seam import Seam, spread_of_insides
from teravox.pipeline.units import say_seconds

SHOWS = 1.1  # a score up to this is no seam, even where nothing says what chance does


def say_score(score: float | None) -> str:
    if score is None:
        return "unknown"
    return "∞" if math.isinf(score) else f"{score:.2f}"


def has_hits(seam: Seam) -> bool:
    """Whether anything was found on any plane."""
    return any(one.hits for one in seam.figures)


def say_verdict(seam: Seam) -> str:
    """What a score means, in a sentence."""
    score, spread = seam.score, spread_of_insides(seam.figures)
    if score is None:
        return "There is nothing to compare."
    if not has_hits(seam):
        return "There are none on any of these planes."
    if math.isinf(score):
        return "They are on borders only, and on no plane inside of a piece."
    most = max(SHOWS, spread[1] if spread else SHOWS)
    chance = f" By chance alone, planes inside of pieces have {spread[0]:.2f} to {spread[1]:.2f}." if spread else ""
    if score <= most:
        return f"Borders do not show: the score is {say_score(score)}, and about 1 is no seam.{chance}"
    if seam.what == "mesh vertices":
        return f"Borders have {say_score(score)} times as many as planes beside them, inside of pieces.{chance}"
    return f"Borders show: they have {say_score(score)} times as much as planes beside them, inside of pieces.{chance}"


def say_cores(seconds: float) -> str:
    """Time of cores: in hours, or in less where it is little."""
    hours = seconds / 3600
    if hours < 1:
        return say_seconds(seconds)
    return f"{hours:,.0f} h" if hours >= 100 else f"{hours:.3g} h"


def say_moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")


def say_share(share: float) -> str:
    return f"{100 * share:.3g} %"


def say_count(number: int, one: str) -> str:
    return f"1 {one}" if number == 1 else f"{number:,} {one}s"
