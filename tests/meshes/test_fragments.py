"""The fragments of a piece: what comes back, in what order, and what is said of damage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.kernels.mesh.surface import Surface
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.murmur import murmur64
from teravox.pipeline.meshes.fragments import SURFACES
from teravox.pipeline.objects import fragments as fragments_file
from teravox.pipeline.objects.fragments import FIRST_READ, FragmentFile, encode_fragments
from teravox.pipeline.objects.order import MINISHARD_BITS, in_order, keys_of, part_of, shard_of
from teravox.pipeline.objects.sort import MESH
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Store

KEY = "mesh.fragments/0/one.frags"
LABELS = st.integers(1, 2**64 - 1)


def surface(seed: int, most: int = 30) -> Surface:
    """Any numbers: a file keeps what it is given."""
    random = np.random.default_rng(seed)
    vertices = random.integers(-(2**31), 2**31 - 1, (random.integers(1, most), 3), np.int32, endpoint=True)
    faces = random.integers(0, len(vertices), (random.integers(1, most), 3), np.uint32)
    return Surface(vertices, faces)


def surfaces(labels: Any) -> dict[int, Surface]:
    return {label: surface(seed) for seed, label in enumerate(labels)}


def is_same(one: Surface, other: Surface) -> bool:
    return (
        one.vertices.dtype == other.vertices.dtype
        and one.faces.dtype == other.faces.dtype
        and np.array_equal(one.vertices, other.vertices)
        and np.array_equal(one.faces, other.faces)
    )


def put(store: Store, given: dict[int, Surface]) -> FragmentFile:
    store.put(KEY, encode_fragments(given.items(), SURFACES))
    return FragmentFile.open(store, KEY, MESH)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


@settings(max_examples=30, deadline=None)
@given(labels=st.sets(LABELS, max_size=300), bits=st.integers(0, 12))
def test_labels_of_a_shard_are_neighbours_for_any_number_of_shards(labels: set[int], bits: int) -> None:
    given = np.array(sorted(labels), np.uint64)
    ordered = given[in_order(given)]
    parts = part_of(ordered, bits)
    assert np.array_equal(parts, np.sort(parts))
    shards = (murmur64(ordered) >> np.uint64(MINISHARD_BITS)) & np.uint64((1 << bits) - 1)
    assert [shard_of(part, bits) for part in parts.tolist()] == shards.tolist()
    assert [shard_of(shard, bits) for shard in shards.tolist()] == parts.tolist()


def test_the_key_is_the_hash_from_its_lowest_bit_on() -> None:
    labels = np.array([1, 77, 2**64 - 1], np.uint64)
    expected = [int(f"{number >> MINISHARD_BITS:064b}"[::-1], 2) for number in murmur64(labels).tolist()]
    assert keys_of(labels).tolist() == expected


@settings(max_examples=30, deadline=None)
@given(labels=st.sets(LABELS, max_size=400), bits=st.integers(0, 12), data=st.data())
def test_what_was_put_in_comes_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, labels: set[int], bits: int, data: st.DataObject
) -> None:
    given = surfaces(labels)
    file = put(open_store(str(tmp_path_factory.mktemp("store"))), given)
    numbers = np.array(list(given), np.uint64)
    ordered = numbers[in_order(numbers)].tolist()
    rows = file.rows()
    assert rows["label"].tolist() == ordered
    found = dict(file.read(rows, SURFACES))
    assert list(found) == ordered
    assert all(is_same(found[label], one) for label, one in given.items())
    for row in rows:
        one = given[int(row["label"])]
        assert (row["vertices"], row["faces"]) == (len(one.vertices), len(one.faces))
        assert row["low"].tolist() == one.vertices.min(axis=0).tolist()
        assert row["high"].tolist() == one.vertices.max(axis=0).tolist()
    first = data.draw(st.integers(0, (1 << bits) - 1))
    last = data.draw(st.integers(first, (1 << bits) - 1))
    parts = part_of(np.array(ordered, np.uint64), bits).tolist()
    expected = [label for label, part in zip(ordered, parts, strict=True) if first <= part <= last]
    assert file.rows(first, last, bits)["label"].tolist() == expected


def test_the_head_counts_what_each_part_holds(store: Store) -> None:
    given = surfaces(range(1, 2000))
    file = put(store, given)
    assert file.bits >= 4
    assert file.labels == 1999
    assert file.vertices == sum(len(one.vertices) for one in given.values())
    assert file.links == sum(len(one.faces) for one in given.values())
    for bits in range(file.bits + 1):
        sums = file.sums(bits)
        for part in range(1 << bits):
            rows = file.rows(part, part, bits)
            assert sums["labels"][part] == len(rows)
            assert sums["bytes"][part] == rows["size"].sum()
            assert sums["vertices"][part] == rows["vertices"].sum()
            assert sums["faces"][part] == rows["faces"].sum()
        assert sums["bytes"].sum() == file.size
    with pytest.raises(ValueError, match="buckets"):
        file.sums(file.bits + 1)


def test_the_same_surfaces_give_the_same_bytes_in_any_order() -> None:
    given = surfaces(range(1, 300))
    assert encode_fragments(given.items(), SURFACES) == encode_fragments(reversed(given.items()), SURFACES)


def test_nothing_is_a_file_too(store: Store) -> None:
    file = put(store, {})
    assert (file.labels, file.vertices, file.links, file.size) == (0, 0, 0, 0)
    assert len(file.rows()) == 0
    assert len(file.rows(5, 9, 4)) == 0
    assert list(file.read(file.rows(), SURFACES)) == []
    assert len(encode_fragments([], SURFACES)) < 100


def test_the_head_the_rows_and_the_surfaces_take_a_request_each(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given = surfaces(range(1, 1500))
    put(store, given)
    asked = []
    get_range = store.get_range

    def counted(key: str, start: int, stop: int) -> bytes | None:
        asked.append((start, stop))
        return get_range(key, start, stop)

    monkeypatch.setattr(store, "get_range", counted)
    file = FragmentFile.open(store, KEY, MESH)
    assert len(asked) == 1
    rows = file.rows(1, 2, 2)
    assert len(asked) == 2
    assert len(list(file.read(rows, SURFACES))) == len(rows) > 100
    assert len(asked) == 3
    assert sum(stop - start for start, stop in asked[1:]) < (file.size + 52 * file.labels) * 0.6
    some = rows[::50]
    assert [label for label, _ in file.read(some, SURFACES)] == some["label"].tolist()
    assert len(asked) == 3 + len(some)


@pytest.mark.parametrize("labels", [0, 1, 1500])
def test_each_cut_and_each_flipped_bit_is_named(store: Store, labels: int) -> None:
    whole = encode_fragments(surfaces(range(1, labels + 1)).items(), SURFACES)

    def read() -> None:
        file = FragmentFile.open(store, KEY, MESH)
        for _ in file.read(file.rows(), SURFACES):
            pass

    rng = np.random.default_rng(3)
    for cut in {0, 5, 47, len(whole) - 1, *rng.integers(0, len(whole), 12).tolist()}:
        store.put(KEY, whole[:cut])
        with pytest.raises(BadInput, match=re.escape(f"{store.url}/{KEY} cannot be read")):
            read()
    for at in {0, 9, 12, 16, 24, 32, 40, 47, len(whole) - 1, *rng.integers(0, len(whole), 60).tolist()}:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(rng.integers(8))
        store.put(KEY, damaged)
        with pytest.raises(BadInput, match=re.escape(f"{store.url}/{KEY} cannot be read")):
            read()


def test_a_missing_file_says_what_to_do(store: Store) -> None:
    with pytest.raises(BadInput, match=r"one\.frags is missing: run teravox mesh forge again"):
        FragmentFile.open(store, KEY, MESH)


def test_a_table_that_is_longer_than_the_first_request_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given = surfaces(range(1, 700))
    put(store, given)
    monkeypatch.setattr(fragments_file, "FIRST_READ", 100)
    assert FIRST_READ > 100
    assert sorted(FragmentFile.open(store, KEY, MESH).rows()["label"].tolist()) == sorted(given)
