"""Skeletons that the client could not draw reach it as floats; the others reach it as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skeletons.skeletal_layers import ATTRIBUTES, BIG, FORMS, make_skeletal
from view.asking import Served

from teravox.pipeline.skeletons.skeleton_format import decode
from teravox.pipeline.skeletons.skeleton_info import Attribute

FLOATS = [one for one in ATTRIBUTES if one["data_type"] == "float32"]


@pytest.mark.parametrize("form", FORMS)
def test_attributes_of_all_types_become_floats(serve: Callable[..., Served], tmp_path: Path, form: str) -> None:
    made = make_skeletal(tmp_path / "seg", form)
    served = serve(made.path)
    info = json.loads(served.data("skeletons/info").body)
    assert info == {
        "@type": "neuroglancer_skeletons",
        "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
        "vertex_attributes": [{**one, "data_type": "float32"} for one in ATTRIBUTES],
    }
    attributes = [Attribute(one["id"], "float32", one["num_components"]) for one in ATTRIBUTES]
    for label, one in made.skeletons.items():
        found = decode(served.data(f"skeletons/{label}").body, attributes)
        assert np.array_equal(found.vertices, one.vertices)
        assert np.array_equal(found.edges, one.edges)
        for name, values in one.attributes.items():
            assert np.array_equal(found.attributes[name], values.astype("f4"))
    assert served.data("skeletons/8").status == 404


def test_vertices_stay_where_the_transform_finds_them(serve: Callable[..., Served], tmp_path: Path) -> None:
    made = make_skeletal(tmp_path / "seg", "legacy")
    file = tmp_path / "seg/skeletons/info"
    moved = [2, 0, 0, 5, 0, 2, 0, 5, 0, 0, 2, 5]
    file.write_text(json.dumps(json.loads(file.read_text()) | {"transform": moved}))
    served = serve(made.path)
    assert json.loads(served.data("skeletons/info").body)["transform"] == moved
    attributes = [Attribute(one["id"], "float32", one["num_components"]) for one in ATTRIBUTES]
    found = decode(served.data(f"skeletons/{BIG}").body, attributes)
    assert np.array_equal(found.vertices, made.skeletons[BIG].vertices)


def test_a_skeleton_without_its_attributes_gets_zeros(serve: Callable[..., Served], tmp_path: Path) -> None:
    made = make_skeletal(tmp_path / "seg", "legacy")
    bare = np.array([1, 0], "<u4").tobytes() + np.array([1, 2, 3], "<f4").tobytes()
    (tmp_path / "seg/skeletons/44").write_bytes(bare)
    body = serve(made.path).data("skeletons/44").body
    assert body == bare + bytes(4 * sum(one["num_components"] for one in ATTRIBUTES))


@pytest.mark.parametrize("form", FORMS)
def test_floats_are_served_as_they_are(serve: Callable[..., Served], tmp_path: Path, form: str) -> None:
    made = make_skeletal(tmp_path / "seg", form, attributes=FLOATS)
    served = serve(made.path)
    assert served.data("skeletons/info").body == (tmp_path / "seg/skeletons/info").read_bytes()
    if form == "sharded":
        shard = next((tmp_path / "seg/skeletons").glob("*.shard"))
        assert served.data(f"skeletons/{shard.name}").body == shard.read_bytes()
        assert served.data("skeletons/7").status == 404
    else:
        assert served.data("skeletons/7").status == 200
