"""Skeletons of other writers are read as they were meant, in both forms and with all of their attributes."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skeletons.skeletal_layers import BIG, FORMS, Lines, make_empty, make_skeletal

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

LABELS = [7, 12, 300, BIG]


def opened(path: str) -> SkeletonSource:
    return SkeletonSource.open(Layer.open(path, fresh=True))


def assert_same(ours: Skeleton, theirs: Lines) -> None:
    assert np.array_equal(ours.vertices, theirs.vertices)
    assert np.array_equal(ours.edges, theirs.edges)
    assert set(ours.attributes) == set(theirs.attributes)
    for name, values in theirs.attributes.items():
        assert ours.attributes[name].dtype == values.dtype
        assert np.array_equal(ours.attributes[name], values)


@pytest.mark.parametrize("form", FORMS)
def test_all_that_cloudvolume_wrote_is_read(tmp_path: Path, form: str) -> None:
    made = make_skeletal(tmp_path, form)
    source = opened(made.path)
    assert source.form == form
    assert sorted(source.labels()) == LABELS
    assert [source.has(label) for label in (7, 8, BIG, 2**63)] == [True, False, True, False]
    assert source.get(8) is None
    for label, skeleton in made.skeletons.items():
        found = source.get(label)
        assert found is not None
        assert_same(found, skeleton)


@pytest.mark.parametrize("form", FORMS)
def test_some_or_all_are_read_one_after_another(tmp_path: Path, form: str) -> None:
    made = make_skeletal(tmp_path, form)
    source = opened(made.path)
    for wanted in (None, [BIG, 7, 7, 8]):
        found = dict(source.each(wanted))
        assert sorted(found) == (LABELS if wanted is None else [7, BIG])
        for label, skeleton in found.items():
            assert_same(skeleton, made.skeletons[label])


def test_what_else_lies_in_the_folder_is_no_skeleton(tmp_path: Path) -> None:
    path = make_skeletal(tmp_path, "legacy").path
    for name in ("7:0-8_0-8_0-8", "0-8_0-8_0-8.spatial", "0-8_0-8_0-8.frags", "x", "-7", "7.sk", "deep/7"):
        file = tmp_path / "skeletons" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"something")
    assert sorted(opened(path).labels()) == LABELS


@pytest.mark.parametrize("form", FORMS)
def test_the_transform_leads_to_nanometres(tmp_path: Path, form: str) -> None:
    made = make_skeletal(tmp_path, form)
    file = tmp_path / "skeletons/info"
    info = json.loads(file.read_text())
    file.write_text(json.dumps(info | {"transform": [2, 0, 0, 5, 0, 0, 1, -3, 0, 4, 0, 0.5]}))
    found = opened(made.path).get(7)
    assert found is not None
    x, y, z = made.skeletons[7].vertices.T
    assert np.allclose(found.vertices, np.stack([2 * x + 5, z - 3, 4 * y + 0.5], axis=1), rtol=1e-6)


def test_skeletons_without_an_info_are_those_of_old_writers(tmp_path: Path) -> None:
    path = make_empty(tmp_path)
    (tmp_path / "info").write_text(json.dumps(json.loads((tmp_path / "info").read_text()) | {"skeletons": "s"}))
    (tmp_path / "s").mkdir()
    (tmp_path / "s/5").write_bytes(struct.pack("<2I6f2I2f2B", 2, 1, 1, 2, 3, 4, 5, 6, 0, 1, 8, 9, 1, 3))
    (tmp_path / "s/6").write_bytes(struct.pack("<2I3f", 1, 0, 1, 2, 3))
    source = opened(path)
    found, bare = source.get(5), source.get(6)
    assert found is not None
    assert bare is not None
    assert found.vertices.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (found.attributes["radius"].tolist(), found.attributes["vertex_types"].tolist()) == ([8, 9], [1, 3])
    assert bare.attributes == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"12345678",
        struct.pack("<2I3f", 1, 1, 1, 2, 3),
        struct.pack("<2I3f2I", 1, 1, 1, 2, 3, 0, 1),
        struct.pack("<2I3f", 1, 0, 1, float("nan"), 3),
        struct.pack("<2I3ff", 1, 0, 1, 2, 3, 4),
    ],
)
def test_a_damaged_skeleton_is_named(tmp_path: Path, data: bytes) -> None:
    path = make_skeletal(tmp_path, "legacy").path
    (tmp_path / "skeletons/77").write_bytes(data)
    with pytest.raises(BadInput, match=r"the skeleton of label 77 in .*/skeletons cannot be read"):
        opened(path).get(77)


@pytest.mark.parametrize(
    "wrong",
    [
        {"@type": "neuroglancer_legacy_mesh"},
        {"vertex_attributes": [{"id": "radius", "data_type": "complex64", "num_components": 1}]},
        {"transform": [1, 2, 3]},
        {"sharding": {"@type": "neuroglancer_uint64_sharded_v1", "hash": "sha"}},
    ],
)
def test_an_info_that_describes_no_skeletons_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    path = make_skeletal(tmp_path, "sharded").path
    file = tmp_path / "skeletons/info"
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))
    with pytest.raises(BadInput, match=r"skeletons"):
        opened(path)


def test_a_layer_without_skeletons_says_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"has no skeletons: its info names none. Make some with: teravox skeleton forge"
    ):
        opened(make_empty(tmp_path))
