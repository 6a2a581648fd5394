"""What the page's server shows, what it lets be written, and whom it lets do so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from labelling.conftest import CLASSES, Begin
from labelling.serving import Asked, serving
from layers.make import Array, files_of, make_layer, voxels

from teravox.pipeline.labelling import label_server
from teravox.pipeline.labelling.label_server import MOST_SENT, NAMES
from teravox.pipeline.labelling.planes import PLANES, TILE, PlaneName
from teravox.pipeline.layers.layer import Layer

STROKE = {"plane": "xy", "at": 31, "label": 1, "runs": [[25, 20, 40]]}


@pytest.fixture
def asked(begin: Begin) -> Iterator[Asked]:
    with serving(begin()) as asked:
        yield asked


def labels_of(asked: Asked) -> Array:
    session = asked.server.session
    return session.painting.read(session.labels.bounds)


def test_the_url_leads_to_the_page_and_all_it_needs_is_there(asked: Asked) -> None:
    page = asked.ask("GET", f"/{asked.server.token}")
    assert (page.status, page.headers["location"]) == (302, f"/label/{asked.server.token}/")
    for name in ["", *NAMES]:
        file = asked.get(f"label/{name}")
        assert file.status == 200
        assert "default-src 'none'" in file.headers["content-security-policy"]
        assert b"http" not in file.body.replace(b"http-equiv", b""), "the page names nothing elsewhere"
    assert asked.get("label/label_server.py").status == 404
    assert asked.get("label/../session.py").status == 404
    assert asked.get("label/%2e%2e/session.py").status == 404


@pytest.mark.parametrize("name", sorted(PLANES))
@pytest.mark.parametrize("mip", [0, 1])
def test_tiles_of_the_image_are_its_voxels(asked: Asked, image: Layer, name: PlaneName, mip: int) -> None:
    plane, bounds = PLANES[name], image.bounds(mip)
    at = bounds.min[plane.across] + bounds.size[plane.across] // 3
    said = asked.get(f"tile/image/{name}/{mip}/{at}/0/0?low=50&high=210")
    taken = image.read(bounds, mip)[..., 0].take(at - bounds.min[plane.across], plane.across)
    rows = taken.T if plane.column < plane.row else taken
    assert max(rows.shape) <= TILE
    expected = np.clip((rows.astype(float) - 50) * 255 / 160, 0, 255).astype(np.uint8)
    assert said.body == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_any_type_is_shown_between_black_and_white_channel_by_channel(begin: Begin, tmp_path: Path, dtype: str) -> None:
    array = voxels((300, 20, 8), dtype, channels=2)
    array[0, 0, 4] = np.nan if dtype == "float32" else 0
    other = Layer.open(make_layer(tmp_path / "other", array, chunk=(64, 64, 8)))
    with serving(begin(image=other)) as asked:
        black, white = asked.get("state/").json["contrast"][1]
        said = asked.get(f"tile/image/xy/0/4/1/0?channel=1&low={black}&high={white}")
        rows = array[TILE:, :, 4, 1].T.astype(np.float64)
        expected = np.clip((rows - black) * (255 / (white - black)), 0, 255).astype(np.uint8)
        assert said.body == np.ascontiguousarray(expected).tobytes()
        assert asked.get("tile/image/xy/0/4/0/0?channel=0&low=0&high=1").body[0] == 0
        assert asked.get("tile/image/xy/0/4/0/0?channel=2").text == "there is no channel 2"


def test_labels_are_seen_where_they_were_painted_also_from_far(asked: Asked, image: Layer) -> None:
    assert asked.post("paint", STROKE).json == {"version": 1, "changed": 20, "can_undo": True, "can_redo": False}
    fine = np.frombuffer(asked.get("tile/labels/xy/0/31/0/0").body, np.uint8).reshape(64, 96)
    assert np.argwhere(fine).tolist() == [[5, x] for x in range(10, 30)]
    side = np.frombuffer(asked.get("tile/labels/yz/0/25/0/0").body, np.uint8).reshape(64, 24)
    assert np.argwhere(side).tolist() == [[5, 1]]
    scale = image.scale(1)
    coarse = np.frombuffer(asked.get(f"tile/labels/xy/1/{scale.bounds.min[2] + 1}/0/0").body, np.uint8)
    assert np.argwhere(coarse.reshape(scale.size[1], scale.size[0])).tolist() == [[2, x] for x in range(5, 15)]
    assert asked.post("undo").json["can_redo"]
    assert not any(asked.get("tile/labels/xy/0/31/0/0").body)
    assert asked.post("redo").json["changed"] == 1
    assert asked.get("tile/labels/xy/0/31/0/0").headers["x-version"] == "3"


def test_a_higher_mip_is_labelled_in_its_own_voxels(begin: Begin, image: Layer) -> None:
    with serving(begin(mip=1)) as asked:
        scale = image.scale(1)
        assert [level["mip"] for level in asked.get("state/").json["levels"]] == [1]
        x, y, z = scale.bounds.min
        stroke = {"plane": "xy", "at": z + 2, "label": 2, "runs": [[y + 3, x + 4, x + 6]]}
        assert asked.post("paint", stroke).json["changed"] == 2
        drawn = np.frombuffer(asked.get(f"tile/labels/xy/1/{z + 2}/0/0").body, np.uint8)
        assert np.argwhere(drawn.reshape(scale.size[1], scale.size[0])).tolist() == [[3, 4], [3, 5]]
        assert asked.get(f"tile/image/xy/0/{z}/0/0").text == "no mip 0 is shown here"
        assert asked.server.session.labels.scale.resolution == scale.resolution


@pytest.mark.parametrize(
    "words",
    [
        *("xy", "xy/0/31/0", "xy/0/31/0/0/0", "yx/0/31/0/0", "xy/0/a/0/0", "xy/0/31/-1/0", "xy/0/31/5/0"),
        *("xy/0/29/0/0", "xy/0/54/0/0", "xy/2/31/0/0", "xy/-1/31/0/0", f"xy/0/{10**30}/0/0"),
    ],
)
def test_tiles_that_are_none_are_refused_with_a_sentence(asked: Asked, words: str) -> None:
    for what in ("image", "labels"):
        said = asked.get(f"tile/{what}/{words}")
        assert said.status == 400
        assert "tile" in said.text or "mip" in said.text
    assert asked.get(f"tile/prediction/{words}").status in (204, 400)
    assert asked.get("tile/secrets/xy/0/31/0/0").text == "there are no tiles of secrets"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({**STROKE, "label": 3}, "there is no class 3: there are 2"),
        ({**STROKE, "label": 256}, "this is not understood"),
        ({**STROKE, "label": -1}, "this is not understood"),
        ({**STROKE, "plane": "zz"}, "this is not understood"),
        ({**STROKE, "runs": [[1, 2]]}, "this is not understood"),
        ({**STROKE, "runs": [[1, 2, 2**60]]}, "this is not understood"),
        ({**STROKE, "url": "/etc/passwd"}, "this is not understood"),
        ({}, "this is not understood"),
        ([], "this is not understood"),
    ],
)
def test_strokes_that_are_none_change_nothing(asked: Asked, said: object, expected: str) -> None:
    answer = asked.post("paint", said)
    assert answer.status == 400
    assert answer.text.startswith(expected)
    assert asked.server.session.painting.version == 0


def test_strokes_are_clipped_to_the_bounds(asked: Asked) -> None:
    far = [[25, -(2**40), 2**40], [-(2**40), 0, 200]]
    assert asked.post("paint", {**STROKE, "runs": far}).json["changed"] == 96
    assert asked.post("paint", {**STROKE, "at": 2**40}).json["changed"] == 0
    assert np.count_nonzero(labels_of(asked)) == 96


def test_only_the_page_itself_may_send_something(asked: Asked) -> None:
    refused = [
        asked.post("paint", STROKE, Origin="http://example.com"),
        asked.post("paint", STROKE, Origin="null"),
        asked.post("paint", STROKE, Origin=None),
        asked.post("paint", STROKE, Host="example.com"),
        asked.post("paint", STROKE, Host="a b", Origin="http://a b"),
    ]
    assert [answer.status for answer in refused] == [403] * 5
    for kind in ("text/plain", "application/x-www-form-urlencoded", None):
        assert asked.post("paint", STROKE, Content_Type=kind).status == 415
    assert asked.post("paint", STROKE, Host="localhost:99", Origin="http://localhost:99").status == 200


def test_nobody_gets_in_without_the_secret(asked: Asked) -> None:
    token = asked.server.token
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    headers = {"Origin": f"http://{asked.host}", "Content-Type": "application/json"}
    for path in ("/paint", "/paint/", f"/paint/{wrong}/", f"/{wrong}", "/paint/%C3%A9/"):
        assert asked.ask("POST", path, json.dumps(STROKE).encode(), headers).status == 404
    for path in ("label/{}/", "state/{}/", "tile/{}/image/xy/0/31/0/0", "news/{}/", "space/{}/", "data/{}/0/info"):
        assert asked.ask("GET", "/" + path.format(wrong)).status == 404
    assert asked.server.session.painting.version == 0


@pytest.mark.parametrize("length", [str(MOST_SENT + 1), "1" * 15, "-1", "x", None])
def test_bodies_without_an_end_are_not_read(asked: Asked, length: str | None) -> None:
    connection = HTTPConnection("127.0.0.1", asked.server.server_address[1], timeout=60)
    connection.putrequest("POST", asked.path("paint"))
    connection.putheader("Origin", f"http://{asked.host}")
    connection.putheader("Content-Type", "application/json")
    if length is not None:
        connection.putheader("Content-Length", length)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == (413 if length is not None and length.isdigit() else 411)
    assert answer.headers["connection"] == "close"
    answer.read()
    connection.close()


def test_nothing_but_labels_is_ever_written(asked: Asked, image: Layer, tmp_path: Path) -> None:
    before = files_of(image.url.removeprefix("file://"))
    asked.post("paint", STROKE)
    for first in ("data", "tile", "state", "label", "v", "news", "space", "nothing", "once"):
        assert asked.post(f"{first}/0/info", STROKE).status == 404
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert asked.ask(method, asked.path("data/0/info")).status == 501
    assert asked.get("paint/").status == 404
    assert files_of(image.url.removeprefix("file://")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]


def test_a_class_is_added_and_all_tabs_hear_of_it(asked: Asked) -> None:
    said = asked.post("class", {"name": " vessel "}).json
    assert [one["name"] for one in said] == ["stripes", "plain", "vessel"]
    assert asked.get("state/").json["classes"] == said
    assert asked.post("paint", {**STROKE, "label": 3}).json["changed"] == 20
    assert asked.post("class", {"name": "vessel"}).text == "two classes have the name vessel"
    assert asked.post("class", {"name": ""}).status == 400


def test_tabs_hear_of_strokes_until_the_server_ends(asked: Asked) -> None:
    connection = HTTPConnection("127.0.0.1", asked.server.server_address[1], timeout=60)
    connection.request("GET", asked.path("news/"))
    news = connection.getresponse()
    assert news.headers["content-type"] == "text/event-stream"
    assert news.readline() == b": here\n"
    asked.post("paint", STROKE)
    news.readline()
    said = json.loads(news.readline().removeprefix(b"data: "))
    assert said == {"about": "labels", "version": 1, "changed": 20, "can_undo": True, "can_redo": False}
    asked.server.session.news.close()
    assert news.read().strip() == b""
    connection.close()


def test_the_space_view_has_image_and_labels_in_the_colors_of_the_classes(asked: Asked) -> None:
    asked.post("paint", STROKE)
    location = asked.get("space/?x=20&y=30&z=40").headers["location"]
    page, _, fragment = location.partition("#!")
    state = json.loads(unquote(fragment))
    assert asked.ask("GET", page).status == 200
    assert state["position"] == [20, 30, 40]
    assert state["layers"][1]["segmentColors"] == {str(n): one.color for n, one in enumerate(CLASSES, 1)}
    for layer in state["layers"]:
        path = layer["source"].removeprefix(f"precomputed://http://{asked.host}")
        assert asked.ask("GET", f"{path}/info").status == 200
    assert asked.get("space/?x=20&y=a&z=1").text == "a place is x, y and z"


def test_labelling_works_without_the_client(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert label_server._client() is None
    with serving(begin()) as asked:
        assert asked.get("state/").json["hasClient"] is False
        assert asked.get("v/index.html").status == 404
        assert asked.post("paint", STROKE).status == 200
