"""`skeleton merge`: what forge left becomes skeletons that CloudVolume reads, whatever the parts, order and repetition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import Vec
from memory_alone import measure_memory
from meshes.forging import do, job
from skeletons.fragmented import fragment
from skeletons.graphs import STEP, line, some_tree
from skeletons.read_back import read_skeletons

from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.kernels.skeleton.weld import weld
from teravox.pipeline.errors import BadInput, BadUsage, TooLittleMemory
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.groups import Group
from teravox.pipeline.skeletons.merging import memory
from teravox.pipeline.skeletons.skeleton_info import Attribute
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

FORMATS = ["sharded", "legacy"]
ALL: dict[str, Any] = {"min_cable_length": 0.0}
LARGE = 2**63 + 5
LITTLE = 460_000_000  # bytes, of which libraries leave too little for a label of 350,000 vertices
MIDDLE: Vec = (48, 48, 32)


def tree(seed: int, vertices: int, offset: Vec = (0, 0, 0)) -> Skeleton:
    """A random tree in the middle of a layer."""
    x, y, z = (a + b for a, b in zip(MIDDLE, offset, strict=True))
    return some_tree(seed, vertices).moved((x, y, z))


def path_of(layer: Layer) -> str:
    return layer.url.removeprefix("file://")


def folders(path: str) -> set[str]:
    return {entry.name for entry in Path(path).iterdir() if entry.is_dir()}


def written(path: str, folder: str = "skeleton") -> dict[str, bytes]:
    return {
        file.name: file.read_bytes() for file in Path(path, folder).iterdir() if file.is_file() and file.name != "info"
    }


@pytest.fixture
def many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of few edges, so that small layers have some."""
    monkeypatch.setattr(memory, "SIZE", memory.SIZE._replace(least=100, a_request=1))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 12),
    shape=st.tuples(*[st.integers(9, 70)] * 3),
    offset=st.tuples(*[st.integers(-10_000, 10_000)] * 3),
    format=st.sampled_from(FORMATS),
    random=st.randoms(use_true_random=False),
)
def test_trees_come_back_whole_where_they_were(
    tmp_path_factory: pytest.TempPathFactory,
    many_parts: None,
    seed: int,
    count: int,
    shape: Vec,
    offset: Vec,
    format: str,
    random: Any,
) -> None:
    names = np.random.default_rng(seed).integers(1, 2**64 - 1, count, np.uint64).tolist()
    trees = {label: tree(seed + n, 5 + 11 * n, offset) for n, label in enumerate(names)}
    layer = fragment(tmp_path_factory.mktemp("layer"), trees, shape=shape, offset=offset)
    path = path_of(layer)

    def shuffled(pieces: Any) -> Any:
        return random.sample(list(pieces) * 2, 2 * len(pieces))

    # Branches that come from another piece and lie in the trunk go; here all radii are next to nothing.
    for one in trees.values():
        one.radius[:] = 0
    do(job("skeleton merge", path, format=format, **ALL, join=False, max_cable_length=0.0), shuffled)
    found = read_skeletons(path, [*names, 3])
    assert set(found) == set(names)
    for label, one in trees.items():
        wanted = weld([one]).skeleton
        assert np.abs(found[label].vertices - (wanted.vertices + 0.5) * STEP).max() < 0.1
        assert np.array_equal(found[label].edges, wanted.edges)
    once = written(path)
    do(job("skeleton merge", path, format=format, **ALL, join=False, max_cable_length=0.0))
    assert written(path) == once


@pytest.mark.parametrize("format", FORMATS)
def test_a_wire_through_many_pieces_is_one_tree(tmp_path: Path, format: str) -> None:
    wire = weld([line((2, 3, 4), (90, 3, 4)), line((90, 3, 4), (90, 91, 4)), line((40, 3, 4), (40, 60, 61))]).skeleton
    path = path_of(fragment(tmp_path / "seg", {LARGE: wire, 5: line((50, 50, 50), (55, 50, 50))}))
    do(job("skeleton merge", path, format=format))
    source = SkeletonSource.open(Layer.open(path, fresh=True))
    assert list(source.labels()) == [LARGE]  # the other one is dust
    found = source.get(LARGE)
    assert found is not None
    assert len(found.vertices) == len(wire.vertices)
    assert np.array_equal(found.edges, wire.edges)
    assert (found.attributes["radius"] == 40).all()
    assert np.count_nonzero(np.bincount(found.edges.ravel()) == 1) == 3


@pytest.mark.parametrize("format", FORMATS)
def test_attributes_of_any_type_survive(tmp_path: Path, format: str) -> None:
    attributes = (
        Attribute("cross_sectional_area", "float32"),
        Attribute("kind", "uint8"),
        Attribute("place", "int32", 3),
    )
    one = tree(4, 80)
    one.attributes["cross_sectional_area"] = np.arange(-20, 60).astype(np.float32)
    one.attributes["kind"] = (np.arange(80) % 7).astype(np.uint8)
    one.attributes["place"] = one.vertices
    path = path_of(fragment(tmp_path / "seg", {7: one}, attributes=attributes))
    merge = job("skeleton merge", path, format=format, **ALL)
    assert "kind, place" in merge.choices()[1]
    do(merge)
    found = SkeletonSource.open(Layer.open(path, fresh=True)).get(7)
    assert found is not None
    rows = ((found.vertices / STEP) - 0.5).round().astype(np.int32)
    assert np.array_equal(found.attributes["place"], rows)
    at = {tuple(row): n for n, row in enumerate(one.vertices.tolist())}
    order = [at[tuple(row)] for row in rows.tolist()]
    for name in ("cross_sectional_area", "kind"):
        assert found.attributes[name].dtype == one.attributes[name].dtype
        assert np.array_equal(found.attributes[name], one.attributes[name][order])


def test_the_layer_names_the_skeletons_when_all_are_there(tmp_path: Path, many_parts: None) -> None:
    path = path_of(fragment(tmp_path / "seg", {n: tree(n, 60) for n in range(1, 20)}))
    merge = job("skeleton merge", path, **ALL)
    merge.prepare()
    pieces = merge.pieces()
    assert len(pieces) == 16
    assert "16 shards" in merge.choices()[0]
    for piece in pieces:
        merge.run(piece)
        assert set(written(path)) >= {name for name in merge.outputs(piece) if Path(path, "skeleton", name).exists()}
    assert "skeletons" not in Layer.open(path, fresh=True).raw
    merge.finish()
    assert Layer.open(path, fresh=True).raw["skeletons"] == "skeleton"
    info = json.loads(Path(path, "skeleton/info").read_text())
    assert info["@type"] == "neuroglancer_skeletons"
    assert info["sharding"]["shard_bits"] == 4
    assert info["mip"] == 0
    assert len(read_skeletons(path, range(1, 20))) == 19
    provenance = json.loads(Path(path, "provenance").read_text())
    assert "skeleton merge" in str(provenance["processing"])
    assert f"teravox view {path}" in str(merge.report())


def test_what_the_layer_has_stays_until_the_new_is_complete(tmp_path: Path) -> None:
    path = path_of(fragment(tmp_path / "seg", {1: tree(1, 60)}))
    do(job("skeleton merge", path, **ALL))
    before = written(path)
    again = job("skeleton merge", path, **ALL, tick_threshold=100.0)
    again.prepare()
    assert Layer.open(path, fresh=True).raw["skeletons"] == "skeleton"
    do(again)
    (new,) = {name for name in folders(path) if name.startswith("skeleton_")}
    assert Layer.open(path, fresh=True).raw["skeletons"] == new
    assert written(path) == before
    assert len(read_skeletons(path, [1])[1].vertices) < 60


@pytest.mark.parametrize(("compress", "ending"), [("auto", ".gz"), ("none", ""), ("zstd", ".zstd")])
def test_legacy_skeletons_are_compressed_as_they_should_be(tmp_path: Path, compress: str, ending: str) -> None:
    path = path_of(fragment(tmp_path / "seg", {1: tree(1, 60)}))
    do(job("skeleton merge", path, **ALL, format="legacy", compress=compress))
    assert set(written(path)) == {f"1{ending}"}


def test_nothing_gives_no_skeletons_and_no_error(tmp_path: Path) -> None:
    path = path_of(fragment(tmp_path / "seg", {}))
    do(job("skeleton merge", path))
    assert written(path) == {}
    assert Layer.open(path, fresh=True).raw["skeletons"] == "skeleton"


def test_single_voxels_are_kept_where_no_cable_is_asked_for(tmp_path: Path) -> None:
    one = Skeleton(np.array([[5, 6, 7]], np.int32), np.empty((0, 2), np.uint32), np.ones(1, np.float32), {})
    path = path_of(fragment(tmp_path / "seg", {9: one}))
    do(job("skeleton merge", path, **ALL))
    assert read_skeletons(path, [9])[9].vertices.tolist() == [[88, 104, 300]]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"max_cable_length": 10.0}, "--max-cable-length: 10 is less than --min-cable-length"),
        ({"compress": "gzip"}, "--compress: sharded skeletons are packed one by one"),
        ({"memory": 1_000_000}, "--memory: .* too little to merge skeletons; give it"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(tmp_path: Path, options: dict[str, Any], why: str) -> None:
    path = path_of(fragment(tmp_path / "seg", {1: tree(1, 60)}))
    before = {file for file in Path(path).rglob("*") if file.is_file()}
    with pytest.raises(BadUsage, match=why):
        job("skeleton merge", path, **options).prepare()
    assert {file for file in Path(path).rglob("*") if file.is_file()} == before


def test_an_unfinished_forge_is_named(tmp_path: Path) -> None:
    path = path_of(fragment(tmp_path / "seg", {1: tree(1, 60)}))
    Path(path, "skeleton.fragments/forged.json").unlink()
    with pytest.raises(BadInput, match=r"not complete: .*teravox skeleton forge"):
        job("skeleton merge", path).prepare()
    with pytest.raises(BadInput, match=r"there are no fragments .* teravox skeleton forge"):
        job("skeleton merge", path, dir="other").prepare()


def test_a_damaged_fragment_is_named(tmp_path: Path) -> None:
    path = path_of(fragment(tmp_path / "seg", {1: tree(1, 60)}, shape=(96, 96, 64)))
    (file,) = Path(path, "skeleton.fragments/0123456789abcdef").glob("*.frags")
    data = file.read_bytes()
    file.write_bytes(data[:-20] + bytes(20))
    merge = job("skeleton merge", path)
    merge.prepare()
    with pytest.raises(BadInput, match=file.name):
        merge.run(merge.pieces()[0])


def test_labels_are_read_in_groups_that_fit_and_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trees = {n: tree(n, 20 + 10 * n) for n in range(1, 12)}
    path = path_of(fragment(tmp_path / "seg", trees))
    do(job("skeleton merge", path, **ALL))
    once = written(path)
    monkeypatch.setattr(memory, "BASE", 0)
    monkeypatch.setattr(memory, "SIZE", memory.SIZE._replace(least_memory=lambda rows: rows))
    groups: list[Group] = []
    whole = memory.group_labels

    def watched(*some: Any) -> Iterator[Group]:  # Any: what the function takes
        groups.extend(whole(*some))
        yield from groups

    monkeypatch.setattr("teravox.pipeline.skeletons.merging.merge.group_labels", watched)
    do(job("skeleton merge", path, **ALL, memory=100_000))
    (new,) = {name for name in folders(path) if name.startswith("skeleton_")}
    assert written(path, new) == once
    assert len(groups) > 2
    small = job("skeleton merge", path, **ALL, memory=60_000)
    small.prepare()
    with pytest.raises(TooLittleMemory, match=r"--memory: label \d+ has a fragment that takes .* give it"):
        small.run(small.pieces()[0])


def test_a_task_takes_no_more_memory_than_it_says(tmp_path: Path) -> None:
    """One label of 350,000 vertices in wires with ticks, cut in the middle, beside many small ones; in memory and in a file."""
    length, wires = 1000, 350
    wire, x = (column.ravel() for column in np.divmod(np.arange(wires * length), length))
    vertices = np.stack([x, 3 * (wire % 30) + (x % 5 == 0), 3 * (wire // 30)], axis=1).astype(np.int32)
    along = np.arange(wires * length).reshape(wires, length)
    edges = [
        np.stack([along[:, :-1].ravel(), along[:, 1:].ravel()], axis=1),
        along[[*range(wires - 1)], 0][:, None] + [0, length],
    ]
    labels = {1: Skeleton(vertices, np.concatenate(edges).astype(np.uint32), np.full(len(x), 9, np.float32), {})}
    for label in range(2, 1000):
        labels[label] = tree(label, 20)
    path = path_of(fragment(tmp_path / "seg", labels, shape=(500, 96, 64), size=(1000, 96, 64)))
    for limit, least in ((3_500_000_000, 500_000_000), (LITTLE, LITTLE)):
        merge = job("skeleton merge", path, memory=limit)
        merge.prepare()
        (piece,) = merge.pieces()
        assert measure_memory(merge).peak <= merge.memory(piece)
        assert least <= merge.memory(piece) < 800_000_000
