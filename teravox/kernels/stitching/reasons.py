"""Why a pair was joined or refused, in a sentence."""

from __future__ import annotations

from teravox.kernels.stitching.rule import LARGE, SURE, Rule
from teravox.kernels.stitching.rules import Reason

_SURE = f"{SURE:.0%}"


def say_reason(reason: Reason, rule: Rule) -> str:
    """What a rule says of a pair."""
    where = " in the plane" if rule.plane else ""
    return {
        Reason.NO_RULE: "the rule joins no labels",
        Reason.SURE: f"each shares most with the other, at least {_SURE} of what it has there",
        Reason.MUTUAL: "each shares more with the other than with any further one",
        Reason.LARGE: f"one shares more than {_SURE} of what it has there with the other, and more than "
        f"{LARGE if rule.min_large is None else rule.min_large:,} voxels",
        Reason.ANY: "they share voxels",
        Reason.SMALL: f"they share no more than {0 if rule.name == 'any' else rule.min_overlap:,} voxels{where}",
        Reason.ASIDE: "one of them does not reach the plane where the blocks meet",
        Reason.OTHER_PARTNER: "one of them shares more with another",
        Reason.SHARE: "each shares most with the other, but too small a part of what they have there",
        Reason.BRIDGE: "it would join two labels of one block that touch each other there (--keep-bridges joins them)",
    }[reason]
