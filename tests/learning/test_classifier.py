"""The step `classifier`: what it predicts is what its forest says of its features, in every box and within its memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning.some_models import QUICK, draw_model
from numpy.typing import NDArray

from teravox.kernels.learning import features
from teravox.kernels.learning.features import compute
from teravox.kernels.learning.model import Model, model_to_bytes
from teravox.kernels.learning.selection import Feature, Selection
from teravox.kernels.segmentation.predict.classifier import predict
from teravox.kernels.segmentation.step_file import StepFile, hash_of

Grey = NDArray[Any]  # of any number
MODEL = draw_model("a", "b", "c", resolution=(16.0, 8.0, 8.0))


def as_file(model: Model) -> StepFile:
    data = model_to_bytes(model)
    return StepFile("some.model", hash_of(data), lambda: data)


def noise(shape: tuple[int, ...], dtype: str = "uint8", seed: int = 0) -> Grey:
    values: Grey = np.random.default_rng(seed).integers(0, 250, shape).astype(dtype)
    values.flags.writeable = False
    return values


def expected(gray: Grey, model: Model) -> NDArray[np.float32]:
    values = compute(gray, model.selection, model.scale)
    return model.forest.predict(values.reshape(len(values), -1)).reshape(*gray.shape[:3], -1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_it_predicts_what_the_forest_says_of_the_features(dtype: str) -> None:
    gray = noise((7, 12, 11), dtype)
    found = predict(gray, None, model=as_file(MODEL))
    assert np.array_equal(found, expected(gray, MODEL))
    assert np.abs(found.sum(axis=3) - 1).max() < 1e-6


def test_channels_of_the_image_and_slices_that_are_filtered_alone_are_taken() -> None:
    flat = Selection(tuple(Feature(*feature[:2], True) for feature in QUICK))
    model = draw_model(selection=flat, channels=2)
    gray = noise((4, 9, 10, 2))
    found = predict(gray, None, model=as_file(model))
    assert np.array_equal(found, expected(gray, model))
    assert np.array_equal(predict(gray[2:3], None, model=as_file(model)), found[2:3])
    with pytest.raises(ValueError, match="learnt on 2 channels, and the image has 1"):
        predict(gray[..., 0], None, model=as_file(model))


@settings(max_examples=12, deadline=None)
@given(data=st.data(), planes=st.sampled_from([1, 3, 100]))
def test_a_voxel_is_predicted_the_same_in_every_box_and_with_any_memory(data: st.DataObject, planes: int) -> None:
    gray, file = noise((9, 22, 24)), as_file(MODEL)
    memory = 2 * features.memory(gray, MODEL.selection, MODEL.scale, ((0, min(planes, 9)), (0, 12), (0, 12)))
    whole = expected(gray, MODEL)
    margin = vars(predict)["margin"](model=file)
    inner, wide, spans = [], [], []
    for size, around in zip(gray.shape, margin, strict=True):
        start = data.draw(st.integers(0, size - 1))
        stop = data.draw(st.integers(start + 1, size))
        low = max(0, start - around)
        inner.append(slice(start, stop))
        wide.append(slice(low, min(size, stop + around)))
        spans.append((start - low, stop - low))
    found = predict(gray[tuple(wide)], None, model=file, working_memory=memory, kept=(spans[0], spans[1], spans[2]))
    assert np.array_equal(found[tuple(slice(*span) for span in spans)], whole[tuple(inner)])


def test_one_channel_is_the_boundary_where_it_is_named_or_what_is_no_object() -> None:
    gray = noise((3, 8, 9))
    whole = expected(gray, MODEL)
    assert np.array_equal(predict(gray, None, model=as_file(MODEL), boundary="b")[..., 0], whole[..., 1])
    found = predict(gray, None, model=as_file(MODEL), objects=("b",))
    assert np.array_equal(found[..., 0], np.minimum(whole[..., 0] + whole[..., 2], 1))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"boundary": "d"}, "no class 'd': it has a, b, c"),
        ({"objects": ("a", "d")}, "no class 'd'"),
        ({"objects": ("a", "b", "c")}, "names all classes"),
        ({"objects": ("a",), "boundary": "b"}, "both given"),
    ]
    for wrong, sentence in refused:
        with pytest.raises(ValueError, match=sentence):
            predict(gray, None, model=as_file(MODEL), **wrong)


def test_nothing_is_predicted_where_the_mask_has_nothing() -> None:
    gray = noise((6, 10, 12))
    mask = np.zeros(gray.shape, bool)
    assert not predict(gray, mask, model=as_file(MODEL)).any()
    mask[2:4, 3:5, 6:9] = True
    found = predict(gray, mask, model=as_file(MODEL))
    assert np.array_equal(found[mask], expected(gray, MODEL)[mask])
    assert not found[:2].any()


def test_a_box_without_voxels_is_predicted() -> None:
    assert predict(noise((0, 5, 5)), None, model=as_file(MODEL)).shape == (0, 5, 5, 3)


def test_what_it_says_of_itself() -> None:
    file = as_file(MODEL)
    facts = vars(predict)
    assert facts["channels"](model=file) == 3
    assert facts["channels"](model=file, boundary="a") == 1
    assert facts["channels"](model=file, objects=("a", "b")) == 1
    assert facts["margin"](model=file)[0] < facts["margin"](model=file)[2]
    assert facts["memory"](model=file) == 12
    assert facts["fixed"](model=file, working_memory=5) == 5


@pytest.mark.parametrize("shape", [(40, 64, 64), (2, 300, 300)])
def test_it_takes_no_more_memory_than_it_says(shape: tuple[int, int, int]) -> None:
    model = draw_model(selection=Selection((*QUICK, Feature("hessian-of-gaussian-eigenvalues", 1.6))))
    gray, file, memory = noise(shape), as_file(model), 4_000_000
    predict(gray[:2, :8, :8], None, model=file)  # compiled, and read
    tracemalloc.start()
    try:
        predict(gray, None, model=file, working_memory=memory)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < memory + vars(predict)["memory"](model=file) * gray.size + 500_000


def test_a_file_is_known_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    one = StepFile.at(tmp_path / "a")
    assert one == StepFile.at(tmp_path / "b")
    assert hash(one) == hash(StepFile.at(tmp_path / "b"))
    assert one.sha256 in str(one)
    (tmp_path / "b").write_bytes(b"2")
    assert one != StepFile.at(tmp_path / "b")


def test_another_model_predicts_otherwise() -> None:
    gray = noise((3, 8, 9))
    other = replace(MODEL, forest=draw_model("a", "b", "c", seed=5).forest)
    assert not np.array_equal(predict(gray, None, model=as_file(MODEL)), predict(gray, None, model=as_file(other)))
