"""A label is joined and cleaned in a scratch as it is in memory, to the last vertex, edge and attribute."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skeletons.graphs import STEP, line, some, some_tree

from teravox.kernels.skeleton.cleaning import Wish, choose, clean
from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.kernels.skeleton.somata import Soma
from teravox.kernels.skeleton.trunk import Ball
from teravox.kernels.skeleton.weld import gather, weld, weld_loose
from teravox.pipeline.skeletons.merging.giant import AT_LEAST, OF_EDGE, OF_VERTEX


def in_scratch(fragments: list[Skeleton], wish: Wish) -> Skeleton:
    """The same as `clean`, in no more room than a merge gives to such a label."""
    vertices, edges = (sum(len(fragment[at]) for fragment in fragments) for at in (0, 1))
    attributes = sum(values[:1].nbytes for values in fragments[0].attributes.values())
    size = AT_LEAST // 20 + (OF_VERTEX + 2 * attributes) * vertices + OF_EDGE * max(vertices, edges)
    scratch = np.zeros(size // 8, np.int64)
    scratch[0] = 1
    welded = weld_loose(gather(iter(fragments), vertices, edges, scratch), scratch)
    kept = choose(welded, STEP, wish, scratch)
    return welded.skeleton.taken(kept.rows)._replace(edges=kept.edges)


def assert_same(one: Skeleton, other: Skeleton) -> None:
    for a, b in zip(one[:3], other[:3], strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)
    assert one.attributes.keys() == other.attributes.keys()
    for name, values in one.attributes.items():
        assert np.array_equal(values, other.attributes[name])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    parts=st.integers(1, 5),
    vertices=st.integers(2, 150),
    loops=st.floats(0, 2),
    apart=st.sampled_from([1, 20, 1000, 2**28]),
    soma=st.sampled_from([20.0, 58.0, 1e9]),
    least=st.sampled_from([0.0, 300.0, 3000.0]),
    most=st.sampled_from([None, 3000.0]),
    tick=st.sampled_from([0.0, 100.0]),
    join=st.booleans(),
)
def test_random_graphs_come_out_the_same(
    seed: int,
    parts: int,
    vertices: int,
    loops: float,
    apart: int,
    soma: float,
    least: float,
    most: float | None,
    tick: float,
    join: bool,
) -> None:
    moves = [(apart * part, part, 0) for part in range(parts)]
    if loops:
        fragments = [some(seed + n, vertices, int(loops * vertices)).moved(by) for n, by in enumerate(moves)]
    else:
        fragments = [some_tree(seed + n, vertices).moved(by) for n, by in enumerate(moves)]
    wish = Wish(Ball(4, 10, 20, 1.0, 30), Soma(soma, 1.0, 30.0), least, most, tick, join)
    assert_same(in_scratch(fragments, wish), clean(fragments, STEP, wish))


def test_wires_that_were_traced_twice_come_out_the_same() -> None:
    """Each in pieces of its own, beside the other, with rungs between them and a soma where they begin."""
    fragments = []
    for start in range(0, 300, 50):
        fragments += [line((start, y, 0), (start + 50, y, 0), 90) for y in (0, 3)]
        fragments.append(line((start + 20, 0, 0), (start + 20, 3, 0), 30))
        fragments.append(line((start + 30, 3, 0), (start + 40, 13, 0), 50))
    fragments.append(line((0, 0, 0), (0, 12, 0), 4000))
    wish = Wish(Ball(4, 10), Soma(3500, 0.05, 30.0), 0.0, None, 0.0, True)
    made = clean(fragments, STEP, wish)
    assert_same(in_scratch(fragments, wish), made)
    assert len(made.edges) < len(weld(fragments).skeleton.edges) - 10
