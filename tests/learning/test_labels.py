"""Layers of labels: what others read of them, and what they say of layers that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import Array, make_layer, read_layer, voxels

from teravox.cli.main import main
from teravox.kernels.learning.classes import MOST, Class, color_of, make_classes
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import Labels, create_labels, open_labels

OFFSET: Vec = (3, -5, 7)
CLASSES = make_classes(["membrane", "inside"])


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    path = make_layer(tmp_path_factory.mktemp("image") / "em", voxels((70, 40, 20), "uint8"), offset=OFFSET)
    assert main(["image", "downsample", path, "--num-mips", "1", "--quiet"]) == 0
    return Layer.open(path)


def small(folder: Path, array: Array, **options: Any) -> Labels:
    return open_labels(make_layer(folder / "seg", array, type="segmentation", offset=OFFSET, **options))


@pytest.mark.parametrize("mip", [0, 1])
def test_a_new_layer_has_the_voxels_of_its_mip_and_no_chunk(image: Layer, tmp_path: Path, mip: int) -> None:
    labels = create_labels(image, mip, str(tmp_path / "labels"), CLASSES)
    scale = image.scale(mip)
    assert (labels.bounds, labels.scale.resolution) == (scale.bounds, scale.resolution)
    assert labels.layer.info.data_type == "uint8"
    assert all(a <= 64 for a in labels.scale.chunk)
    assert labels.mip_of(image) == mip
    assert list(labels.labelled_boxes()) == []
    assert list(labels.labelled_voxels()) == []
    assert not labels.read(labels.bounds).any()
    assert {file.name for file in (tmp_path / "labels").iterdir()} == {"info", "classes.json", "segment_properties"}


def test_classes_are_read_as_they_were_given_and_neuroglancer_knows_their_names(image: Layer, tmp_path: Path) -> None:
    labels = create_labels(image, 0, str(tmp_path / "labels"), CLASSES)
    assert open_labels(labels.url).classes == CLASSES
    properties = json.loads((tmp_path / "labels/segment_properties/info").read_text())
    assert properties["inline"]["ids"] == ["1", "2"]
    assert properties["inline"]["properties"][0]["values"] == ["membrane", "inside"]
    assert labels.layer.raw["segment_properties"] == "segment_properties"


def test_classes_can_be_added_to_and_not_changed(image: Layer, tmp_path: Path) -> None:
    url = str(tmp_path / "labels")
    with pytest.raises(BadUsage, match=r"--classes: .* has none yet"):
        create_labels(image, 0, url, ())
    create_labels(image, 0, url, CLASSES)
    more = make_classes(["membrane", "inside", "vessel"])
    assert create_labels(image, 0, url, more).classes == more
    assert create_labels(image, 0, url, CLASSES).classes == more
    assert create_labels(image, 0, url, ()).classes == more
    with pytest.raises(BadUsage, match="has the classes membrane, inside, vessel already"):
        create_labels(image, 0, url, make_classes(["inside", "membrane"]))
    with pytest.raises(BadUsage, match="is a layer already"):
        create_labels(image, 1, url, more[:0])


def test_labels_are_never_written_over_their_image(image: Layer) -> None:
    with pytest.raises(BadUsage, match="sources are never written to"):
        create_labels(image, 0, image.url, CLASSES)


def test_what_others_wrote_is_read(tmp_path: Path) -> None:
    array = voxels((20, 17, 9), "uint8", labels=3)
    array[:8, :8, :8] = 0
    labels = small(tmp_path, array)
    assert labels.classes == ()
    assert np.array_equal(labels.read(labels.bounds), array[..., 0].T)
    assert np.array_equal(read_layer(str(tmp_path / "seg"), 0), array)
    found = list(labels.labelled_voxels())
    places = np.concatenate([one.places for one in found]) - np.array(OFFSET)
    assert np.array_equal(np.concatenate([one.classes for one in found]), array[(*places.T, 0)])
    assert len(places) == np.count_nonzero(array)
    boxes = [one.box.min[::-1] for one in found]
    assert boxes == sorted(boxes)


def test_truth_of_any_whole_number_type_in_any_form_is_labels(tmp_path: Path) -> None:
    array = voxels((20, 17, 9), "uint64", labels=4)
    labels = small(tmp_path, array, encoding="compressed_segmentation")
    assert np.array_equal(labels.read(labels.bounds), array[..., 0].T.astype(np.uint8))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Labels, Array]:
    array = voxels((20, 17, 9), "uint8", labels=3)
    return small(tmp_path_factory.mktemp("labelled"), array), array


@settings(max_examples=30)
@given(
    low=st.tuples(*(st.integers(-20, 40) for _ in range(3))), size=st.tuples(*(st.integers(1, 30) for _ in range(3)))
)
def test_any_box_is_read_and_beyond_the_bounds_is_nothing(labelled: tuple[Labels, Array], low: Vec, size: Vec) -> None:
    labels, array = labelled
    around = np.zeros((120, 120, 120), np.uint8)
    x, y, z = (n + 30 for n in OFFSET)
    around[x : x + 20, y : y + 17, z : z + 9] = array[..., 0]
    high = (low[0] + size[0], low[1] + size[1], low[2] + size[2])
    there = around[tuple(slice(a + 30, b + 30) for a, b in zip(low, high, strict=True))]
    assert np.array_equal(labels.read(Box(low, high)), there.T)


def test_bodies_are_no_labels(tmp_path: Path) -> None:
    array = voxels((16, 16, 8), "uint16", labels=3)
    array[5, 5, 5] = 300
    with pytest.raises(BadInput, match=r"has a label 300 .* a segmentation of bodies is no layer of labels"):
        list(small(tmp_path, array).labelled_voxels())


def test_an_image_holds_no_labels(image: Layer) -> None:
    with pytest.raises(BadInput, match="holds no labels: it is an image"):
        open_labels(image.url)


def test_labels_of_another_image_are_refused(image: Layer, tmp_path: Path) -> None:
    array = voxels((16, 16, 8), "uint8", labels=2)
    coarse = make_layer(tmp_path / "coarse", array, type="segmentation", resolution=(7, 7, 7))
    with pytest.raises(BadInput, match=r"have voxels of 7,7,7 nm, and those of .* have 4,4,40; 8,8,40 nm"):
        open_labels(coarse).mip_of(image)
    away = make_layer(tmp_path / "away", array, type="segmentation", offset=(1000, 0, 0))
    with pytest.raises(BadInput, match="share no voxel"):
        open_labels(away).mip_of(image)


@pytest.mark.parametrize("said", [b"", b"[]", b'{"classes": [{"name": "a", "color": "red"}]}', b"\xff"])
def test_a_broken_list_of_classes_is_said(image: Layer, tmp_path: Path, said: bytes) -> None:
    labels = create_labels(image, 0, str(tmp_path / "labels"), CLASSES)
    (tmp_path / "labels" / "classes.json").write_bytes(said)
    with pytest.raises(BadInput, match=r"classes\.json does not name classes"):
        open_labels(labels.url)


def test_names_of_segments_of_a_layer_of_others_are_classes(tmp_path: Path) -> None:
    path = Path(make_layer(tmp_path / "seg", voxels((8, 8, 8), "uint8", labels=2), type="segmentation"))
    info = json.loads((path / "info").read_text()) | {"segment_properties": "properties"}
    (path / "info").write_text(json.dumps(info))
    (path / "properties").mkdir()
    names = {"id": "label", "type": "label", "values": ["cell", "vessel"]}
    said = {"@type": "neuroglancer_segment_properties", "inline": {"ids": ["1", "2"], "properties": [names]}}
    (path / "properties/info").write_text(json.dumps(said))
    assert [one.name for one in open_labels(str(path)).classes] == ["cell", "vessel"]
    said["inline"]["ids"] = ["1", "7"]  # type: ignore[index]  # it is a dictionary
    (path / "properties/info").write_text(json.dumps(said))
    assert open_labels(str(path)).classes == ()


def test_no_two_classes_have_the_same_color() -> None:
    assert len({color_of(number) for number in range(1, MOST + 1)}) == MOST


@pytest.mark.parametrize("names", [["a", "a"], [""], ["x" * 61], ["a\nb"], ["c"] * 256])
def test_names_that_nobody_could_tell_apart_or_read_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"name|classes"):
        make_classes(names)
    assert Class("a", "#000000") != Class("b", "#000000")
