"""Files of models: the same bytes for the same model, and a sentence for whatever is none."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning.some_models import QUICK, draw_forest, draw_model

from teravox.kernels.learning.classes import make_classes
from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.model import Model, model_from_bytes, model_to_bytes, read_model, write_model
from teravox.kernels.learning.slic_tiles import Supervoxels

MODEL = draw_model(resolution=(40.0, 4.0, 4.0))
DATA = model_to_bytes(MODEL)
SHA256 = "87ad3d5ffa3b2fb0007f3d9b18bc34fa049ae44577a813aed28ddd1b35a22e59"


def supervoxel_model() -> Model:
    how = Supervoxels(0.0, 255.0, (8, 16, 16))
    columns = 2 * QUICK.columns(1)
    return Model(
        "supervoxels",
        make_classes(["a", "b", "c"]),
        QUICK,
        1,
        (8.0, 8.0, 8.0),
        draw_forest("softmax", features=columns, classes=3),
        how.to_json(),
        {},
    )


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        draw_model("a", "b", "c", channels=3),
        supervoxel_model(),
        replace(MODEL, forest=draw_forest(features=MODEL.columns, leaves=40)),
        replace(MODEL, forest=draw_forest(features=MODEL.columns, leaves=1)),
        replace(MODEL, record={"image": "file:///em", "labelled": {"membrane": 3}, "ü": None}),
    ],
    ids=["voxels", "channels", "supervoxels", "large-trees", "bare-leaves", "record"],
)
def test_a_model_is_read_as_it_was_written(model: Model, tmp_path: Path) -> None:
    write_model(tmp_path / "a.model", model)
    found = read_model(tmp_path / "a.model")
    assert found == model
    assert model_to_bytes(found) == model_to_bytes(model)


def test_the_bytes_of_a_model_are_the_same_for_ever() -> None:
    assert hashlib.sha256(DATA).hexdigest() == SHA256


def test_others_can_read_the_file() -> None:
    with zipfile.ZipFile(io.BytesIO(DATA)) as archive:
        text = json.loads(archive.read("model.json"))
        arrays = {name: np.load(io.BytesIO(archive.read(name))) for name in archive.namelist() if name.endswith(".npy")}
    assert text["classes"] == [{"name": "membrane", "color": "#e69f00"}, {"name": "inside", "color": "#56b4e9"}]
    assert text["features"][0] == ["gaussian-smoothing", 0.7, False]
    assert arrays["threshold.npy"].dtype == np.float32
    assert np.array_equal(arrays["threshold.npy"], np.concatenate([tree.threshold for tree in MODEL.forest.trees]))
    assert arrays["values.npy"].shape == (sum(len(tree.values) for tree in MODEL.forest.trees), 2)


def test_arrays_that_numpy_has_written_are_read() -> None:
    def by_numpy(name: str, data: bytes) -> bytes:
        if not name.endswith(".npy"):
            return data
        into = io.BytesIO()
        np.save(into, np.load(io.BytesIO(data)))
        return into.getvalue()

    assert model_from_bytes(repacked(by_numpy), "x") == MODEL


def repacked(change: Callable[[str, bytes], bytes | None], compression: int = zipfile.ZIP_STORED) -> bytes:
    """The file, with each of its parts as `change` returns it."""
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(DATA)) as archive, zipfile.ZipFile(into, "w", compression) as other:
        for name in archive.namelist():
            data = change(name, archive.read(name))
            if data is not None:
                other.writestr(name, data)
    return into.getvalue()


def with_text(**changes: Any) -> bytes:
    def change(name: str, data: bytes) -> bytes:
        return json.dumps(json.loads(data) | changes).encode() if name == "model.json" else data

    return repacked(change)


def with_array(name: str, array: np.ndarray[Any, Any]) -> bytes:
    into = io.BytesIO()
    np.save(into, array)
    return repacked(lambda other, data: into.getvalue() if other == f"{name}.npy" else data)


def huge(name: str, data: bytes) -> bytes:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,), }"
    return data[:8] + struct.pack("<H", 118) + header.ljust(117) + b"\n" if name == "threshold.npy" else data


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no model of teravox, or damaged"),
        (b"PK\x03\x04 and then nothing", "no model of teravox, or damaged"),
        (DATA[:-40], "no model of teravox, or damaged"),
        (repacked(lambda name, data: None if name == "left.npy" else data), "an archive, but not of a model"),
        (repacked(lambda _, data: data, zipfile.ZIP_DEFLATED), "compressed or encrypted"),
        (repacked(lambda name, data: data[:-3] if name == "model.json" else data), "model.json cannot be read"),
        (repacked(huge), "threshold.npy has not as many values as it says"),
        (with_text(format="cookbook"), "is not that of a model"),
        (with_text(version=2), "of version 2, and this teravox knows 1"),
        (with_text(code="import os"), "unknown field `code`"),
        (with_text(channels=0), "images of 0 channels"),
        (with_text(channels=2), "its forest takes 10 features, and 20 are computed"),
        (with_text(features=[["fourier", 1.0, False]]), "there is no filter 'fourier'"),
        (with_text(features=[]), "no features are chosen"),
        (with_text(classes=[{"name": "a", "color": "#000000"}]), "does not speak of the 1 classes|it has 1 classes"),
        (with_text(resolution=[0, 1, 1]), "voxels of (0.0, 1.0, 1.0) nm"),
        (with_text(unit="supervoxels"), "takes 10 features, and 20"),
        (with_text(supervoxels={}), "must say how supervoxels are made"),
        (with_text(forest={"link": "mean", "features": 10, "trees": 5}), "not those of 5 trees"),
        (with_text(forest={"link": "sigmoid", "features": 10, "trees": 6}), "does not speak of the 2 classes"),
        (with_array("nodes", np.array([-7] * 6, np.int32)), "fewer nodes than none"),
        (with_array("nodes", np.array([2**31 - 1] * 6, np.int32)), "not as many nodes and leaves"),
        (with_array("left", np.zeros(42, np.int32)), "not each the child of one node"),
        (with_array("left", np.zeros(42, np.int64)), "left.npy is no array of <i4"),
        (with_array("threshold", np.array([object()] * 42)), "threshold.npy is no array of <f4"),
        (with_array("threshold", np.full(42, np.nan, np.float32)), "no number"),
        (b"\x89HDF\r\n\x1a\n and then nothing", ""),
    ],
)  # fmt: skip
def test_what_is_no_model_is_told_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        model_from_bytes(data, "some.model")
    assert str(refused.value).startswith("some.model")
    assert any(part in str(refused.value) for part in sentence.split("|"))


def read_or_refuse(data: bytes) -> None:
    """Read what may be anything: nothing but a sentence may come of it, or a model that is whole."""
    try:
        found = model_from_bytes(data, "some.model")
    except ValueError as error:
        assert str(error).startswith("some.model")  # noqa: PT017 - it need not be raised
    else:
        found.forest.predict(np.zeros((found.columns, 3), np.float32))


@settings(max_examples=150, deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), max_size=4),
    length=st.one_of(st.just(len(DATA)), st.integers(0, len(DATA))),
)
def test_a_file_with_wrong_bytes_is_a_model_or_gets_a_sentence(places: list[tuple[int, int]], length: int) -> None:
    data = bytearray(DATA)
    for place, byte in places:
        data[place] = byte
    read_or_refuse(bytes(data[:length]))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["nodes", "leaves", "outputs", "feature", "left", "right"]),
    values=st.lists(st.tuples(st.integers(0, 41), st.integers(-(2**31), 2**31 - 1)), min_size=1, max_size=3),
)
def test_trees_with_wrong_numbers_are_a_forest_or_get_a_sentence(name: str, values: list[tuple[int, int]]) -> None:
    with zipfile.ZipFile(io.BytesIO(DATA)) as archive:
        array = np.load(io.BytesIO(archive.read(f"{name}.npy"))).copy()
    for place, value in values:
        array[place % len(array)] = value
    read_or_refuse(with_array(name, array))


def test_a_model_whose_parts_do_not_fit_is_not_written() -> None:
    with pytest.raises(ValueError, match="its forest takes 4 features"):
        model_to_bytes(replace(MODEL, forest=Forest(4, 2, "mean", MODEL.forest.trees)))
