"""Which units of an overlap are one, and why: a pure function of its table and a rule.

The rules are those of Plaza and Berg, "Large-Scale Electron Microscopy Image Segmentation in Spark": a pair is mutual
where each of its units shares more voxels with the other than with any further one. They are asked in tiers, the surest
first, and what a tier has joined no later one takes back, so a bolder rule joins all that a more careful one does.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.stitching.bridges import find_bridges
from teravox.kernels.stitching.overlap import Overlap
from teravox.kernels.stitching.rule import LARGE, SURE, Rule

Flags = NDArray[np.bool_]


class Reason(IntEnum):
    """Why a pair was joined or refused."""

    NO_RULE = 0
    SURE = 1
    MUTUAL = 2
    LARGE = 3
    ANY = 4
    SMALL = 10
    ASIDE = 11
    OTHER_PARTNER = 12
    SHARE = 13
    BRIDGE = 14

    @property
    def joins(self) -> bool:
        return Reason.NO_RULE < self < Reason.SMALL


class Decision(NamedTuple):
    """What became of the pairs of an overlap."""

    reasons: NDArray[np.uint8]  # by pair
    shared: NDArray[np.int64]  # by pair: the voxels that were counted
    first_share: NDArray[np.float64]  # by pair: of what its first unit shares with any
    second_share: NDArray[np.float64]

    @property
    def joined(self) -> Flags:
        return (self.reasons > Reason.NO_RULE) & (self.reasons < Reason.SMALL)


def decide(overlap: Overlap, rule: Rule) -> Decision:
    """What a rule makes of each pair of an overlap. Of two partners with equal counts the smaller label is the better."""
    first, second = overlap.first.astype(np.int64), overlap.second.astype(np.int64)
    shared = (overlap.shared_middle if rule.plane else overlap.shared).astype(np.int64)
    first_total = np.bincount(first, shared, len(overlap.low.labels)).astype(np.int64)[first]
    second_total = np.bincount(second, shared, len(overlap.high.labels)).astype(np.int64)[second]
    shares = shared / np.maximum(first_total, 1), shared / np.maximum(second_total, 1)
    enough = shared > (0 if rule.name == "any" else rule.min_overlap)
    seeks = overlap.low.middle[first] > 0, overlap.high.middle[second] > 0
    wants = (
        seeks[0] & enough & _is_best(first, second, shared),
        seeks[1] & enough & _is_best(second, first, shared),
    )
    reasons = np.full(len(shared), Reason.OTHER_PARTNER, np.uint8)
    reasons[~(seeks[0] & seeks[1])] = Reason.ASIDE
    reasons[wants[0] & wants[1]] = Reason.SHARE
    reasons[~enough] = Reason.SMALL
    if rule.name == "none":
        reasons[:] = Reason.NO_RULE
    elif rule.name == "any":
        reasons[enough] = Reason.ANY
    else:
        union = first_total + second_total - shared
        kept = np.zeros(len(shared), np.bool_)
        for reason, tier in _tiers(rule, shared, shares, wants, union):
            kept |= _accept(overlap, rule, kept, tier & ~kept, reason, reasons)
    return Decision(reasons, shared, *shares)


def edges(overlap: Overlap, decision: Decision) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The pairs of labels that are joined, each once and sorted."""
    joined = decision.joined
    low = overlap.low.labels[overlap.first[joined]].astype(np.uint64)
    high = overlap.high.labels[overlap.second[joined]].astype(np.uint64)
    pairs = np.unique(low << np.uint64(32) | high)
    return (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)


def _tiers(
    rule: Rule,
    shared: NDArray[np.int64],
    shares: tuple[NDArray[np.float64], NDArray[np.float64]],
    wants: tuple[Flags, Flags],
    union: NDArray[np.int64],
) -> list[tuple[Reason, Flags]]:
    """The pairs that a rule wants to join, the surest first."""
    mutual = wants[0] & wants[1]

    def large(least: int) -> Flags:
        return (shared > least) & ((wants[0] & (shares[0] > SURE)) | (wants[1] & (shares[1] > SURE)))

    if rule.name == "custom":
        fits = mutual & (np.minimum(*shares) >= rule.min_fraction) & (shared >= rule.iou * union)
        tiers = [(Reason.MUTUAL, fits)]
        return tiers if rule.min_large is None else [*tiers, (Reason.LARGE, large(rule.min_large))]
    tiers = [
        (Reason.SURE, mutual & (np.minimum(*shares) >= SURE)),
        (Reason.MUTUAL, mutual),
        (Reason.LARGE, large(LARGE)),
    ]
    return tiers[: {"conservative": 1, "medium": 2, "aggressive": 3}[rule.name]]


def _accept(
    overlap: Overlap, rule: Rule, kept: Flags, tier: Flags, reason: Reason, reasons: NDArray[np.uint8]
) -> Flags:
    """Those pairs of a tier that make no bridge together with what is kept; it says their reasons."""
    reasons[tier] = reason
    if rule.keep_bridges:
        return tier
    low, high = overlap.low.labels[overlap.first], overlap.high.labels[overlap.second]
    together = kept | tier
    bridges = np.isin(low, find_bridges(low[together], high[together], overlap.high_touching))
    bridges |= np.isin(high, find_bridges(high[together], low[together], overlap.low_touching))
    reasons[tier & bridges] = Reason.BRIDGE
    return tier & ~bridges


def _is_best(units: NDArray[np.int64], partners: NDArray[np.int64], shared: NDArray[np.int64]) -> Flags:
    """Whether a pair is that of its unit which shares the most voxels; of equal ones the first partner."""
    order = np.lexsort((partners, -shared, units))
    best = np.zeros(len(units), np.bool_)
    if len(order):
        sorted_units = units[order]
        best[order[np.concatenate([[True], sorted_units[1:] != sorted_units[:-1]])]] = True
    return best
