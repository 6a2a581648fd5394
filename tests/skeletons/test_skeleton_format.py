"""Skeletons as bytes: osteoid reads what we write, and we read what it writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osteoid import Skeleton as Osteoid

from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_format import decode, encode
from teravox.pipeline.skeletons.skeleton_info import RADIUS, Attribute

TYPES = ["float32", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float16", "float64", "int64", "uint64"]
GOLDEN = bytes.fromhex(
    "0200000001000000000000400000404000008040000000410000104100002041000000000100000000004842000096c3"
)


def some(seed: int, attributes: tuple[Attribute, ...]) -> Skeleton:
    random = np.random.default_rng(seed)
    n, m = int(random.integers(1, 30)), int(random.integers(0, 40))
    values: dict[str, Any] = {}
    for one in attributes:
        shape = (n,) if one.num_components == 1 else (n, one.num_components)
        values[one.id] = random.integers(0, 100, shape).astype(one.data_type)
    return Skeleton(
        random.uniform(-1e7, 1e7, (n, 3)).astype(np.float32), random.integers(0, n, (m, 2)).astype(np.uint32), values
    )


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.sampled_from(TYPES), st.integers(1, 4)), max_size=4),
)
def test_osteoid_reads_and_writes_the_same(seed: int, kinds: list[tuple[Any, int]]) -> None:
    attributes = (RADIUS, *(Attribute(f"a{n}", kind, count) for n, (kind, count) in enumerate(kinds)))
    skeleton = some(seed, attributes)
    data = encode(skeleton, attributes)
    said = [{"id": a.id, "data_type": a.data_type, "num_components": a.num_components} for a in attributes]
    theirs = Osteoid.from_precomputed(data, segid=1, vertex_attributes=said)
    assert np.array_equal(theirs.vertices, skeleton.vertices)
    assert np.array_equal(theirs.edges, skeleton.edges)
    assert all(np.array_equal(getattr(theirs, name), values) for name, values in skeleton.attributes.items())
    assert theirs.to_precomputed() == data
    back = decode(data, attributes)
    assert np.array_equal(back.vertices, skeleton.vertices)
    assert np.array_equal(back.edges, skeleton.edges)
    assert back.attributes.keys() == skeleton.attributes.keys()
    for name, values in skeleton.attributes.items():
        assert back.attributes[name].dtype == values.dtype
        assert np.array_equal(back.attributes[name], values)


def test_the_bytes_are_as_they_always_were() -> None:
    vertices = np.array([[2, 3, 4], [8, 9, 10]], np.float32)
    skeleton = Skeleton(vertices, np.array([[0, 1]], np.uint32), {"radius": np.array([50, -300], np.float32)})
    assert encode(skeleton, (RADIUS,)) == GOLDEN


def test_attributes_may_have_been_left_out() -> None:
    skeleton = some(1, (RADIUS,))
    assert decode(encode(skeleton, ()), (RADIUS,)).attributes == {}


def test_a_transform_leads_to_nanometres() -> None:
    skeleton = some(2, ())
    back = decode(encode(skeleton, ()), (), (16, 0, 0, 8, 0, 16, 0, 8, 0, 0, 40, 20))
    assert np.allclose(back.vertices, skeleton.vertices * [16, 16, 40] + np.array([8, 8, 20]), rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"1234567", "7 bytes, which are no skeleton"),
        (GOLDEN[:-1], "do not fit to its 2 vertices and 1 edges"),
        (GOLDEN[:32] + b"\2" + GOLDEN[33:], "an edge names vertex 2 of 2"),
        (GOLDEN[:8] + b"\0\0\x80\x7f" + GOLDEN[12:], "nowhere"),
    ],
)
def test_damage_is_named(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode(data, (RADIUS,))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (None, "it has no kind"),
        (np.array([1, 2, 3]), "has the shape"),
        (np.array([1, 256]), "uint8 cannot hold"),
        (np.array([1, 0.5]), "uint8 cannot hold"),
    ],
)
def test_what_cannot_be_stored_is_named(values: Any, why: str) -> None:
    skeleton = Skeleton(np.zeros((2, 3), np.float32), np.zeros((0, 2), np.uint32), {})
    if values is not None:
        skeleton.attributes["kind"] = values
    with pytest.raises(ValueError, match=why):
        encode(skeleton, (Attribute("kind", "uint8"),))
