from __future__ import annotations

import json
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from layers.make import make_layer, voxels

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, TeravoxError
from teravox.pipeline.view.look import look_at
from teravox.pipeline.view.scene import make_scene, read_scene, save_scene, with_sources
from teravox.pipeline.view.state import make_state


@pytest.fixture
def layers(tmp_path: Path) -> list[str]:
    size = (20, 16, 8)
    return [
        make_layer(tmp_path / "seg", voxels(size, "uint32", labels=4), type="segmentation"),
        make_layer(tmp_path / "em", voxels(size, "uint8")),
    ]


def test_a_scene_comes_back_as_it_was_saved(tmp_path: Path, layers: list[str]) -> None:
    save_scene(layers, str(tmp_path / "scene.json"))

    assert read_scene(str(tmp_path / "scene.json")) == make_scene(layers)


def test_a_scene_names_its_layers_where_they_lie_and_images_first(tmp_path: Path, layers: list[str]) -> None:
    save_scene(layers, str(tmp_path / "scene.json"))

    said = json.loads((tmp_path / "scene.json").read_text())["layers"]
    assert [(one["type"], one["source"]) for one in said] == [
        ("image", f"precomputed://file://{tmp_path}/em"),
        ("segmentation", f"precomputed://file://{tmp_path}/seg"),
    ]


def test_the_client_gets_the_same_picture_of_a_scene_as_of_its_layers(layers: list[str]) -> None:
    layers.reverse()  # as they are drawn
    scene = make_scene(layers)
    served = [f"http://h/{number}" for number in range(len(layers))]

    assert with_sources(scene, served) == make_state(look_at(layers), served)


def test_what_was_changed_in_a_scene_is_shown(tmp_path: Path, layers: list[str]) -> None:
    file = tmp_path / "scene.json"
    save_scene(layers, str(file))
    file.write_text(json.dumps(json.loads(file.read_text()) | {"layout": "3d"}))

    assert with_sources(read_scene(str(file)), ["http://h/0", "http://h/1"])["layout"] == "3d"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"layers": []}',
        '{"layers": [{"source": "zarr://file:///x"}]}',
        '{"layers": [{"source": {}}]}',
        '{"layers": 5}',
    ],
)
def test_what_is_no_scene_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "scene.json").write_text(text)

    with pytest.raises(BadInput, match="is no scene"):
        read_scene(str(tmp_path / "scene.json"))


def test_a_scene_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no scene"):
        read_scene(str(tmp_path / "scene.json"))


def test_no_scene_is_saved_of_layers_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(TeravoxError, match="there is no layer"):
        save_scene([str(tmp_path / "nothing")], str(tmp_path / "scene.json"))

    assert not (tmp_path / "scene.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["scene.json", "em"], "LAYER: a scene names its layers, so it stands alone"),
        (["scene.json", "--position", "1,2,3"], "--position: a scene says where to look"),
        (["scene.json", "--segments", "5"], "--segments: a scene says what is selected"),
    ],
)
def test_what_a_scene_says_itself_cannot_be_said_beside_it(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["view", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_scene_is_served(tmp_path: Path, layers: list[str]) -> None:
    save_scene(layers, str(tmp_path / "scene.json"))
    command = [sys.executable, "-m", "teravox", "view", "--no-browser", str(tmp_path / "scene.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = urlsplit(process.stdout.readline().strip())
            page = HTTPConnection("127.0.0.1", url.port or 0, timeout=60)
            page.request("GET", url.path)
            state = json.loads(unquote(page.getresponse().headers["location"].partition("#!")[2]))
            page.close()
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()

    root = f"precomputed://http://127.0.0.1:{url.port}/data{url.path}"
    assert [one["source"] for one in state["layers"]] == [f"{root}/0", f"{root}/1"]
    assert [one["type"] for one in state["layers"]] == ["image", "segmentation"]
