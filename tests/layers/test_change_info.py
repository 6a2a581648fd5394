"""Jobs that end at the same moment change the info of their layer at once, and none loses what another has written."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from layers.make import make_layer, voxels

from teravox.pipeline.errors import Transient
from teravox.pipeline.layers.layer import Layer

WORDS = ("mesh", "skeletons", "segment_properties")


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return make_layer(tmp_path / "layer", voxels((4, 4, 4), "uint8"), compress=False)


def info(layer: str) -> dict[str, Any]:  # Any: what JSON holds
    said: dict[str, Any] = json.loads(Path(layer, "info").read_text())
    return said


def name(layer: Layer, word: str) -> None:
    layer.change_info(lambda raw: raw | {word: f"folder of {word}"})


@pytest.mark.parametrize("order", list(itertools.permutations(WORDS)))
def test_the_same_words_make_the_same_file_whoever_comes_first(layer: str, order: tuple[str, ...]) -> None:
    before = list(info(layer))
    for word in order:
        name(Layer.open(layer), word)
    assert list(info(layer)) == [*before, *sorted(WORDS)]


def test_a_change_begins_with_what_others_have_written_since(layer: str) -> None:
    old = Layer.open(layer)
    Layer.open(layer).write_info(info(layer) | {"mesh": "meshes"})
    assert "mesh" not in old.raw
    made = old.change_info(lambda raw: raw | {"skeletons": "lines"})
    assert made.raw == info(layer)
    assert (made.raw["mesh"], made.raw["skeletons"]) == ("meshes", "lines")


def test_a_change_that_another_write_undoes_is_made_again(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    others = iter([info(layer) | {"mesh": "theirs"}])  # was read before ours, and is written after it

    def write_of_another(_: float) -> None:
        for raw in others:
            Layer.open(layer).write_info(raw)

    monkeypatch.setattr("time.sleep", write_of_another)
    name(Layer.open(layer), "skeletons")
    assert info(layer)["mesh"] == "theirs"
    assert info(layer)["skeletons"] == "folder of skeletons"


def test_changes_at_once_are_all_kept(layer: str) -> None:
    words = [f"word {number}" for number in range(4)]
    with ThreadPoolExecutor(len(words)) as threads:
        list(threads.map(lambda word: name(Layer.open(layer, fresh=True), word), words))
    assert {word: info(layer)[word] for word in words} == {word: f"folder of {word}" for word in words}


def test_what_is_so_already_is_not_written(layer: str) -> None:
    name(Layer.open(layer), "mesh")
    written = Path(layer, "info").stat().st_mtime_ns
    name(Layer.open(layer), "mesh")
    assert Path(layer, "info").stat().st_mtime_ns == written


def test_a_change_that_is_always_undone_ends_with_a_sentence(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = info(layer)
    monkeypatch.setattr("time.sleep", lambda _: Layer.open(layer).write_info(first))
    with pytest.raises(Transient, match="info is changed by others all the time"):
        name(Layer.open(layer), "mesh")
