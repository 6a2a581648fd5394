from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from layers.make import Vec, make_layer, voxels

from teravox.pipeline.errors import Fatal
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.view.look import SELECTED, look_at
from teravox.pipeline.view.sample import contrast_of, largest_labels, take_sample
from teravox.pipeline.view.state import PANEL, as_fragment, make_state, name_layers


def state_of(*urls: str, **options: Any) -> dict[str, Any]:
    shown = look_at(urls, options.pop("segments", ()))
    return make_state(shown, [f"http://h/{number}" for number in range(len(urls))], **options)


def layer(folder: Path, dtype: str = "uint8", size: Vec = (30, 20, 10), **options: Any) -> str:
    labels = 5 if options.get("type") == "segmentation" else None
    return make_layer(folder, voxels(size, dtype, labels=labels, channels=options.pop("channels", 1)), **options)


def test_the_view_begins_in_the_middle_of_all_layers(tmp_path: Path) -> None:
    one = layer(tmp_path / "one", offset=(100, 0, -50))
    other = layer(tmp_path / "other", offset=(0, 0, 0), size=(60, 20, 10), resolution=(8, 8, 40))
    state = state_of(one, other)
    assert state["dimensions"] == {"x": [4e-9, "m"], "y": [4e-9, "m"], "z": [4e-8, "m"]}
    # x from 0 to 520 nm, y from 0 to 160 nm, z from -2000 to 400 nm
    assert state["position"] == [65, 20, -20]
    assert state["crossSectionScale"] * PANEL == 2400 / 4


def test_a_position_may_be_given(tmp_path: Path) -> None:
    assert state_of(layer(tmp_path), position=(1.5, 2, 3))["position"] == [1.5, 2, 3]


def test_segmentations_are_drawn_over_images(tmp_path: Path) -> None:
    seg = layer(tmp_path / "seg", "uint64", type="segmentation")
    em = layer(tmp_path / "em")
    layers = state_of(seg, em)["layers"]
    assert [(one["type"], one["name"], one["source"]) for one in layers] == [
        ("image", "em", "precomputed://http://h/1"),
        ("segmentation", "seg", "precomputed://http://h/0"),
    ]


def test_layers_of_one_name_are_told_apart() -> None:
    assert name_layers(["file:///a/em", "file:///b/em", "s3://b/seg", "gs://c/em"]) == ["em", "em 2", "seg", "em 3"]
    assert name_layers(["file:///a/em", "file:///a/em 2", "file:///b/em"]) == ["em", "em 2", "em 3"]


def test_the_contrast_of_an_image_spans_its_voxels(tmp_path: Path) -> None:
    array = np.zeros((40, 40, 4, 1), "uint16", order="F")
    array[:, :, :] = np.linspace(1000, 3000, 40, dtype="uint16")[:, None, None, None]
    array[:5] = 0  # padding
    path = make_layer(tmp_path, array)
    (one,) = state_of(path)["layers"]
    low, high = map(int, one["shaderControls"]["normalized"]["range"])
    assert 1200 <= low <= 1300
    assert 2950 <= high <= 3000


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0, 0], (0, 1)),
        ([0, 1, 1], (0, 1)),
        ([7, 7, 7], (0, 7)),
        ([-7, -7, 0], (-7, 0)),
        ([-5, 0, 5], (-5, 5)),
    ],
)
def test_flat_images_have_a_contrast_too(values: list[int], expected: tuple[float, float]) -> None:
    assert contrast_of(np.array(values, "int16")) == expected


def test_infinite_voxels_do_not_count() -> None:
    assert contrast_of(np.array([np.nan, np.inf, -np.inf, 2, 2], "float32")) == (0, 2)
    assert contrast_of(np.array([np.nan, np.inf], "float32")) == (0, 1)


def test_numbers_of_64_bits_are_said_exactly(tmp_path: Path) -> None:
    path = make_layer(tmp_path, np.full((9, 9, 9, 1), 2**60, "uint64", order="F"))
    (one,) = state_of(path)["layers"]
    assert one["shaderControls"]["normalized"]["range"] == ["0", str(2**60)]


@pytest.mark.parametrize(
    ("channels", "emitted"), [(2, "red(), green(), 0.0"), (3, "red(), green(), blue()"), (4, "red(), green(), blue()")]
)
def test_channels_become_colors(tmp_path: Path, channels: int, emitted: str) -> None:
    (one,) = state_of(layer(tmp_path, channels=channels))["layers"]
    assert f"emitRGB(vec3({emitted}))" in one["shader"]
    assert one["shader"].count("#uicontrol invlerp") == len(one["shaderControls"]) == min(channels, 3)


def test_a_sample_comes_from_the_smallest_mip_that_has_something(tmp_path: Path) -> None:
    from teravox.tasks.image.downsample import Downsample

    path = layer(tmp_path, size=(64, 64, 8))
    job = Downsample(path, num_mips=2)
    job.prepare()
    assert take_sample(Layer.open(path)).shape == (64, 64, 8, 1)
    for piece in job.pieces():
        job.run(piece)
    assert take_sample(Layer.open(path)).shape == (16, 16, 8, 1)


def test_a_sample_of_a_large_mip_is_small(tmp_path: Path) -> None:
    path = make_layer(tmp_path, np.ones((600, 3, 20, 1), "uint8", order="F"), chunk=(64, 64, 64))
    assert take_sample(Layer.open(path)).shape == (512, 3, 16, 1)


def test_the_largest_labels_are_selected_where_there_are_meshes(tmp_path: Path) -> None:
    path = layer(tmp_path, "uint64", type="segmentation", size=(60, 60, 20))
    assert "segments" not in state_of(path)["layers"][0]
    opened = Layer.open(path)
    opened.write_info(opened.raw | {"mesh": "mesh"})
    (one,) = state_of(path)["layers"]
    labels, counts = np.unique(take_sample(Layer.open(path)), return_counts=True)
    by_size = [str(label) for _, label in sorted(zip(-counts, labels, strict=True)) if label]
    assert one["segments"] == by_size[:SELECTED]
    assert one["notSelectedAlpha"] > 0
    assert state_of(path, segments=(3, 1))["layers"][0]["segments"] == ["3", "1"]


def test_background_is_no_label() -> None:
    assert largest_labels(np.array([0, 0, 0, 5, 5, 9], "uint32"), 5) == (5, 9)
    assert largest_labels(np.array([5, 5, 9, 7, 7, 7], "uint64"), 2) == (7, 5)


def test_a_layer_that_cannot_be_sampled_is_shown_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = layer(tmp_path)
    for chunk in (tmp_path / "4_4_40").iterdir():
        chunk.write_bytes(b"")
    (one,) = state_of(path)["layers"]
    assert one["shaderControls"] == {"normalized": {}}
    assert "cannot be read" in caplog.text


def test_a_layer_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="there is no layer at"):
        look_at([str(tmp_path / "nothing")])


def test_a_fragment_is_the_state_in_a_url(tmp_path: Path) -> None:
    state = state_of(layer(tmp_path / "a b#c?d%é"))
    said = as_fragment(state)
    assert said.startswith("#!")
    assert said.isascii()
    assert not set(said[1:]) & set(' "#<>?\\^`{|}')
    assert json.loads(unquote(said[2:])) == state
