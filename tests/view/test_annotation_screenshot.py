"""What a person sees of centres: the real client draws a point at each, in its slices and in space."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from view.asking import Served
from view.browser import Page
from view.showing import READY, keep, models_only, share_of, viewed

from teravox.pipeline.errors import BadInput, Fatal
from teravox.pipeline.view.look import look_at
from teravox.pipeline.view.state import make_state
from teravox.tasks.image.centres import Centres

CYAN = "#00ffff"
SHADER = "void main() { setColor(prop_label() > 0u && prop_area() == 9u ? vec3(0.0, 1.0, 1.0) : vec3(1.0, 0.0, 0.0)); }"
LAYER = "viewer.layerManager.managedLayers[1].layer"
TYPES = "viewer.state.toJSON().layers.map(one => one.type).join()"
SIZE = (48, 40, 32)


def make_points(folder: Path) -> tuple[str, str]:
    """A layer of rods, and of their centres."""
    labels = np.zeros((*SIZE, 1), np.uint32, order="F")
    for number, (x, y) in enumerate((x, y) for x in range(4, 46, 10) for y in range(4, 38, 10)):
        labels[x : x + 3, y : y + 3] = number + 1
    path = make_layer(folder / "rods", labels, chunk=(16, 16, 16), type="segmentation", resolution=(8, 8, 8))
    job = Centres(path, annotations=True)
    for piece in job.pieces():
        job.run(piece)
    job.finish()
    return path, f"{path}/stats/centres/8_8_8/z/points"


@pytest.mark.server
def test_each_centre_is_a_point_with_its_numbers(page: Page, tmp_path: Path) -> None:
    with viewed(page, "centres_with_slices", tmp_path, *make_points(tmp_path)) as seen:
        before = models_only(page, seen, {}, "centres", tmp_path)
        page.wait_for(f"{TYPES} == 'segmentation,annotation'")
        page.evaluate(f"{LAYER}.annotationDisplayState.shader.value = {json.dumps(SHADER)}")
        page.evaluate("requestAnimationFrame(() => requestAnimationFrame(() => { window.isColored = true; }))")
        page.wait_for(f"window.isColored && {READY}")
        png, picture = page.take_picture()
        keep(png, "centres_by_their_numbers", tmp_path)
    assert share_of(CYAN, before) == 0
    assert share_of(CYAN, seen.space(picture)) > 0.001


def test_annotations_come_after_all_else_and_are_seen_as_a_whole(tmp_path: Path) -> None:
    path, points = make_points(tmp_path)
    state = make_state(look_at([points, path]), ["http://x/0", "http://x/1"])
    assert [(layer["type"], layer["name"]) for layer in state["layers"]] == [
        ("segmentation", "rods"),
        ("auto", "points"),
    ]
    assert state["layers"][1]["source"] == "precomputed://http://x/0"
    alone = make_state(look_at([points]), ["http://x/0"])
    assert alone["dimensions"] == state["dimensions"]
    assert np.allclose([alone["dimensions"][axis][0] for axis in "xyz"], 8e-9)
    assert alone["position"] == [24, 20, 16]


def test_a_server_gives_what_lies_there(tmp_path: Path, serve: object) -> None:
    _, points = make_points(tmp_path)
    assert callable(serve)
    served: Served = serve(points)
    info = served.data("info")
    assert info.status == 200
    assert info.headers["content-type"] == "application/json"
    (shard,) = Path(points).rglob("0.shard")
    key = str(shard.relative_to(points))
    part = served.data(key, Range="bytes=16-31")
    assert (part.status, part.body) == (206, shard.read_bytes()[16:32])
    assert served.data("nothing/0_0_0").status == 404


TIME = '{"x": [1, "m"], "y": [1, "m"], "t": [1, "s"]}'
OF_TIME = f'{{"@type": "neuroglancer_annotations_v1", "dimensions": {TIME}, "lower_bound": [0, 0, 0], "upper_bound": [1, 1, 1]}}'


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ('{"@type": "neuroglancer_annotations_v1"}', "no layer of annotations in space: .*dimensions"),
        (OF_TIME, "its axes are not x, y and z in metres"),
    ],
)
def test_annotations_of_other_axes_are_refused(tmp_path: Path, info: str, said: str) -> None:
    (tmp_path / "info").write_text(info)
    with pytest.raises(BadInput, match=said):
        look_at([str(tmp_path)])
    with pytest.raises(Fatal, match="there is no layer"):
        look_at([str(tmp_path / "nothing")])
