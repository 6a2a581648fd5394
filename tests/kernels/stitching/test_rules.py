"""The rules, on tables whose answer is known, and the laws that hold on all."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.stitching.overlap import Overlap, Units
from teravox.kernels.stitching.rule import Rule, RuleName
from teravox.kernels.stitching.rules import Reason, decide, edges

Row = tuple[int, int, int]  # a unit of the lower block, one of the upper, and what they share
ORDER: tuple[RuleName, ...] = ("none", "conservative", "medium", "aggressive", "any")


def table(
    rows: list[Row],
    *,
    low: list[int] | None = None,
    high: list[int] | None = None,
    aside: tuple[list[int], list[int]] = ([], []),
    touching: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], []),
) -> Overlap:
    """A table of these pairs; units are labels of their own, 1 and up, unless others are said; `aside` are off the middle."""
    rows = sorted(rows)
    columns = [np.array([row[n] for row in rows], np.uint32) for n in range(3)]
    sides = []
    for place, labels in enumerate((low, high)):
        count = 1 + max((row[place] for row in rows), default=-1)
        middle = np.array([unit not in aside[place] for unit in range(count)], np.uint32)
        names = np.arange(1, count + 1, dtype=np.uint32) if labels is None else np.array(labels, np.uint32)
        sides.append(Units(names, np.full(count, 10**6, np.uint32), middle))
    low_touching, high_touching = (np.array(sorted(pairs), np.uint32).reshape(-1, 2) for pairs in touching)
    return Overlap(
        sides[0], sides[1], columns[0], columns[1], columns[2], columns[2] // 40, low_touching, high_touching
    )


def reasons(overlap: Overlap, rule: RuleName | Rule) -> list[Reason]:
    decision = decide(overlap, rule if isinstance(rule, Rule) else Rule(rule))
    return [Reason(reason) for reason in decision.reasons]


def test_a_pair_that_is_nearly_all_of_both_is_sure() -> None:
    overlap = table([(0, 0, 900), (0, 1, 100), (1, 1, 500)])
    assert reasons(overlap, "conservative") == [Reason.SURE, Reason.OTHER_PARTNER, Reason.SHARE]
    assert reasons(overlap, "medium") == [Reason.SURE, Reason.OTHER_PARTNER, Reason.MUTUAL]
    assert reasons(overlap, "any") == [Reason.ANY] * 3
    assert reasons(overlap, "none") == [Reason.NO_RULE] * 3


def test_ninety_of_a_hundred_are_enough_and_fifty_voxels_are_not() -> None:
    assert reasons(table([(0, 0, 90), (0, 1, 10), (1, 0, 10)]), "conservative")[0] == Reason.SURE
    assert reasons(table([(0, 0, 90), (0, 1, 11)]), "conservative")[0] == Reason.SHARE
    assert reasons(table([(0, 0, 50)]), "medium") == [Reason.SMALL]
    assert reasons(table([(0, 0, 51)]), "medium") == [Reason.SURE]


def test_the_bold_rule_joins_what_lies_nearly_all_in_one_partner() -> None:
    overlap = table([(0, 0, 5000), (1, 0, 2000), (2, 0, 900), (3, 0, 2000), (3, 1, 400), (4, 1, 500)])
    assert reasons(overlap, "aggressive") == [
        Reason.MUTUAL,
        Reason.LARGE,  # all of unit 1
        Reason.OTHER_PARTNER,  # too small
        Reason.OTHER_PARTNER,  # a sixth of unit 3 lies elsewhere
        Reason.OTHER_PARTNER,
        Reason.MUTUAL,
    ]


def test_a_unit_off_the_middle_plane_seeks_no_partner() -> None:
    rows = [(0, 0, 5000)]
    assert reasons(table(rows, aside=([0], [])), "medium") == [Reason.ASIDE]
    assert reasons(table(rows, aside=([0], [])), "aggressive") == [Reason.LARGE]
    assert reasons(table(rows, aside=([0], [0])), "aggressive") == [Reason.ASIDE]
    assert reasons(table(rows, aside=([0], [0])), "any") == [Reason.ANY]


def test_of_equal_partners_the_smaller_label_is_the_better() -> None:
    assert reasons(table([(0, 0, 100), (0, 1, 100)]), "medium") == [Reason.MUTUAL, Reason.OTHER_PARTNER]
    assert reasons(table([(0, 0, 100), (1, 0, 100)]), "medium") == [Reason.MUTUAL, Reason.OTHER_PARTNER]


def test_pieces_of_a_label_find_partners_of_their_own() -> None:
    decision_table = table([(0, 0, 300), (1, 1, 200)], low=[5, 5], high=[8, 9])
    low, high = edges(decision_table, decide(decision_table, Rule("medium")))
    assert (low.tolist(), high.tolist()) == ([5, 5], [8, 9])


def test_a_label_that_would_join_two_that_touch_joins_neither() -> None:
    overlap = table([(0, 0, 300), (1, 1, 200)], low=[5, 5], high=[8, 9], touching=([], [(8, 9)]))
    assert reasons(overlap, "medium") == [Reason.BRIDGE, Reason.BRIDGE]
    assert reasons(overlap, Rule("medium", keep_bridges=True)) == [Reason.SURE, Reason.SURE]
    assert reasons(overlap, "any") == [Reason.ANY, Reason.ANY]


def test_a_bold_join_never_costs_a_sure_one() -> None:
    overlap = table([(0, 0, 9500), (0, 1, 500), (1, 1, 100), (2, 0, 80), (3, 1, 1200)], touching=([], [(1, 2)]))
    low = table([(0, 0, 9500), (0, 1, 1500)], touching=([], [(1, 2)]))
    assert reasons(low, "aggressive") == [Reason.MUTUAL, Reason.BRIDGE]
    assert reasons(overlap, "aggressive")[0] == Reason.SURE


def test_a_custom_rule_takes_what_it_is_told() -> None:
    overlap = table([(0, 0, 60), (0, 1, 40), (1, 1, 300), (2, 1, 2000)])
    assert reasons(overlap, Rule("custom", 0)) == [
        Reason.MUTUAL,
        Reason.OTHER_PARTNER,
        Reason.OTHER_PARTNER,
        Reason.MUTUAL,
    ]
    assert reasons(overlap, Rule("custom", 0, min_fraction=0.7))[0] == Reason.SHARE
    assert reasons(overlap, Rule("custom", 0, iou=0.6))[0] == Reason.MUTUAL  # 60 of 100
    assert reasons(overlap, Rule("custom", 0, iou=0.61))[0] == Reason.SHARE
    assert reasons(overlap, Rule("custom", 0, min_large=299))[2] == Reason.LARGE
    assert reasons(overlap, Rule("custom", 60))[0] == Reason.SMALL


def test_the_middle_plane_can_be_what_is_counted() -> None:
    overlap = table([(0, 0, 4000), (0, 1, 3000)])
    decision = decide(overlap, Rule("medium", plane=True))
    assert decision.shared.tolist() == [100, 75]
    assert reasons(overlap, Rule("medium", min_overlap=100, plane=True)) == [Reason.SMALL, Reason.SMALL]


def test_an_overlap_of_nothing_joins_nothing() -> None:
    for rule in ORDER:
        assert reasons(table([]), rule) == []


@st.composite
def tables(draw: st.DrawFn) -> Overlap:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = draw(st.integers(1, 6))
    units = [np.sort(rng.integers(1, labels + 1, draw(st.integers(1, 8)))).tolist() for _ in range(2)]
    rows = [
        (a, b, int(rng.choice([1, 50, 51, 60, 900, 1000, 1001, 5000])))
        for a in range(len(units[0]))
        for b in range(len(units[1]))
        if rng.random() < 0.4
    ]
    aside = tuple([unit for unit in range(len(side)) if rng.random() < 0.2] for side in units)
    all_pairs = [(a, b) for a in range(1, labels + 1) for b in range(a + 1, labels + 1)]
    touching = tuple([pair for pair in all_pairs if rng.random() < 0.3] for _ in range(2))
    made = table(rows, aside=(aside[0], aside[1]), touching=(touching[0], touching[1]))
    sides = []
    for side, names in zip((made.low, made.high), units, strict=True):
        sides.append(Units(np.array(names[: len(side.labels)], np.uint32), side.voxels, side.middle))
    return made._replace(low=sides[0], high=sides[1])


def joined(overlap: Overlap, rule: Rule) -> NDArray[np.bool_]:
    return decide(overlap, rule).joined


@settings(max_examples=150, deadline=None)
@given(tables(), st.booleans(), st.booleans(), st.sampled_from([0, 50, 900]))
def test_a_bolder_rule_joins_all_that_a_more_careful_one_does(
    overlap: Overlap, plane: bool, keep_bridges: bool, least: int
) -> None:
    before = np.zeros(len(overlap.first), np.bool_)
    for name in ORDER:
        now = joined(overlap, Rule(name, least, plane=plane, keep_bridges=keep_bridges))
        assert not (before & ~now).any()
        before = now
    assert before.all() or plane


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(["conservative", "medium"]))
def test_a_careful_rule_gives_each_unit_one_partner_at_most(overlap: Overlap, name: RuleName) -> None:
    chosen = joined(overlap, Rule(name))
    for units in (overlap.first[chosen], overlap.second[chosen]):
        assert len(np.unique(units)) == len(units)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(ORDER), st.booleans())
def test_the_sides_of_a_face_may_be_exchanged(overlap: Overlap, name: RuleName, keep_bridges: bool) -> None:
    """But for ties: of equal pairs the first one of either side is taken."""
    overlap = overlap._replace(shared=(overlap.shared * 64 + np.arange(len(overlap.shared))).astype(np.uint32))
    order = np.lexsort((overlap.first, overlap.second))
    turned = Overlap(
        overlap.high,
        overlap.low,
        overlap.second[order],
        overlap.first[order],
        overlap.shared[order],
        overlap.shared_middle[order],
        overlap.high_touching,
        overlap.low_touching,
    )
    rule = Rule(name, keep_bridges=keep_bridges)
    assert decide(overlap, rule).reasons[order].tolist() == decide(turned, rule).reasons.tolist()


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(["conservative", "medium", "aggressive"]))
def test_no_label_joins_two_of_the_other_block_that_touch(overlap: Overlap, name: RuleName) -> None:
    low, high = edges(overlap, decide(overlap, Rule(name)))
    partners: dict[tuple[int, int], set[int]] = {}
    for a, b in zip(low.tolist(), high.tolist(), strict=True):
        partners.setdefault((0, a), set()).add(b)
        partners.setdefault((1, b), set()).add(a)
    for touching, side in ((overlap.high_touching, 0), (overlap.low_touching, 1)):
        for one, other in touching.tolist():
            assert not any({one, other} <= found for (s, _), found in partners.items() if s == side)
