"""Skeletons among the fragments of a piece: what was put in comes back, whatever it is, and damage is named."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.kernels.skeleton.packed import MOST_ATTRIBUTES, most_bytes, pack, unpack
from teravox.kernels.skeleton.skeleton import Skeleton, Values
from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.fragments import FragmentFile, encode_fragments
from teravox.pipeline.objects.sort import MESH, SKELETON
from teravox.pipeline.skeletons.fragments import SKELETONS
from teravox.pipeline.storage.open import open_store

KEY = "skeleton.fragments/0/one.frags"
TYPES = ["<f4", "<f8", "<f2", "<u1", "<i2", "<i4", "<u8", "<i8"]


def skeleton(seed: int, most: int = 40) -> Skeleton:
    """Any numbers, any attributes: a file keeps what it is given."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, most))
    vertices = random.integers(-(2**31), 2**31 - 1, (n, 3), np.int32, endpoint=True)
    edges = random.integers(0, n, (random.integers(0, most), 2), np.uint32)
    attributes: dict[str, Values] = {}
    for name in random.permutation(["area", "β", "types", "vector"])[: random.integers(0, 4)].tolist():
        kind = np.dtype(str(random.choice(TYPES)))
        shape = (n, int(random.integers(1, 4))) if name == "vector" else (n,)
        count = int(np.prod(shape)) * kind.itemsize
        bits = random.integers(0, 60, count, np.uint8)  # which are no float that is not a number
        attributes[name] = bits.view(kind).reshape(shape)
    return Skeleton(vertices, edges, random.random(n, np.float32), attributes)


def assert_same(one: Skeleton, other: Skeleton) -> None:
    for a, b in zip(one[:3], other[:3], strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)
    assert sorted(one.attributes) == sorted(other.attributes)
    for name, values in one.attributes.items():
        found = other.attributes[name]
        assert found.dtype == values.dtype
        assert found.shape == values.shape
        assert found.tobytes() == values.tobytes()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_packed_skeleton_comes_back(seed: int) -> None:
    one = skeleton(seed)
    packed = pack(one)
    assert len(packed) <= most_bytes(len(one.vertices), len(one.edges))
    assert_same(one, unpack(packed, len(one.vertices), len(one.edges)))
    turned = one._replace(attributes=dict(reversed(one.attributes.items())))
    assert pack(turned) == packed


def test_what_cannot_be_a_skeleton_is_said() -> None:
    one = skeleton(4)._replace(edges=np.array([[0, 1]], np.uint32))
    packed = pack(one)
    n = len(one.vertices)
    for data in (b"", b"\0", packed[:-1], packed + b"\0", b"\xff\xff\0\0" + packed[4:]):
        with pytest.raises(ValueError, match=r"it (ends|has)|Expecting|Extra|codec"):
            unpack(data, n, 1)
    with pytest.raises(ValueError, match="an edge has a vertex 99"):
        unpack(pack(one._replace(edges=np.array([[0, 99]], np.uint32))), n, 1)
    much = {"much": np.zeros((n, MOST_ATTRIBUTES + 1), np.uint8)}
    with pytest.raises(ValueError, match="attributes may have"):
        pack(one._replace(attributes=much))


@settings(max_examples=20, deadline=None)
@given(labels=st.sets(st.integers(1, 2**64 - 1), max_size=200))
def test_skeletons_of_a_piece_come_back(tmp_path_factory: pytest.TempPathFactory, labels: set[int]) -> None:
    store = open_store(str(tmp_path_factory.mktemp("store")))
    given = {label: skeleton(seed) for seed, label in enumerate(labels)}
    data = encode_fragments(given.items(), SKELETONS)
    assert data == encode_fragments(reversed(given.items()), SKELETONS)
    store.put(KEY, data)
    file = FragmentFile.open(store, KEY, SKELETON)
    rows = file.rows()
    found = dict(file.read(rows, SKELETONS))
    assert list(found) == rows["label"].tolist()
    assert sorted(found) == sorted(given)
    assert file.links == file.sums(0)["edges"][0] == sum(len(one.edges) for one in given.values())
    for row in rows:
        one = given[int(row["label"])]
        assert_same(one, found[int(row["label"])])
        assert (row["vertices"], row["edges"]) == (len(one.vertices), len(one.edges))
        assert row["low"].tolist() == one.vertices.min(axis=0).tolist()
        assert row["high"].tolist() == one.vertices.max(axis=0).tolist()


def test_damage_is_named_and_meshes_are_not_taken_for_skeletons(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    whole = encode_fragments([(label, skeleton(label)) for label in range(1, 30)], SKELETONS)
    store.put(KEY, whole)
    with pytest.raises(BadInput, match="run teravox mesh forge again"):
        FragmentFile.open(store, KEY, MESH)
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(whole), 40).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(rng.integers(8))
        store.put(KEY, damaged)
        with pytest.raises(BadInput, match=re.escape(f"{store.url}/{KEY} cannot be read")):  # noqa: PT012 - it reads on
            file = FragmentFile.open(store, KEY, SKELETON)
            list(file.read(file.rows(), SKELETONS))
    with pytest.raises(BadInput, match=r"none\.frags is missing: run teravox skeleton forge again"):
        FragmentFile.open(store, "none.frags", SKELETON)
