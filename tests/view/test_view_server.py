"""What goes over the wire, against what lies in the store."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import get_args
from urllib.parse import unquote, urlsplit

import brotli
import pytest
import zstandard
from layers.make import files_of, make_layer, voxels
from view.asking import Served

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale, shard_scale
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Compression
from teravox.pipeline.view import client
from teravox.pipeline.view.look import look_at
from teravox.pipeline.view.server import ViewServer

Serve = Callable[..., Served]
COMPRESSIONS: list[Compression | None] = [None, *get_args(Compression)]
UNPACK = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
BROWSER = "gzip, deflate, br, zstd"


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return make_layer(tmp_path / "em", voxels((20, 17, 9), "uint8"), offset=(3, 5, -7))


def sharded_layer(folder: Path) -> Layer:
    array = voxels((40, 40, 20), "uint16")
    layer = Layer.open(make_layer(folder / "plain", array))
    scale = new_scale(bounds=layer.bounds(0), resolution=(4, 4, 40), chunk=(8, 8, 8), encoding={"encoding": "raw"})
    scale = shard_scale(scale, voxel_bytes=2, most_bytes=32_000, packing="gzip")
    made = create_layer(str(folder / "sharded"), new_info(type="image", data_type="uint16", channels=1, scales=[scale]))
    made.write(made.bounds(0), 0, array)
    return made


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("accepts", [BROWSER, "gzip", "identity", "gzip;q=0, br;q=1.0", ""])
def test_every_object_arrives_as_the_store_has_it(
    serve: Serve, layer: str, compress: Compression | None, accepts: str
) -> None:
    store = open_store(layer)
    store.put_many({"mesh/12:0": b"{}" * 40, "8_8_40/x y%20z": b"odd" * 99, "empty": b""}, compress=compress)
    served = serve(layer)
    for key in store.list():
        answer = served.data(key, Accept_Encoding=accepts)
        packed = answer.headers.get("content-encoding")
        stored = store.get_stored(key)
        assert stored is not None
        taken = {word.strip() for word in accepts.split(",")} | ({"br"} if "br;" in accepts else set())
        assert packed == (stored[1] if stored[1] in taken else None)
        assert answer.status == 200
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert (UNPACK[packed](answer.body) if packed else answer.body) == store.get(key)
        if packed:
            assert answer.body == stored[0]


def test_head_is_get_without_the_bytes(serve: Serve, layer: str) -> None:
    served = serve(layer)
    (key, *_) = (key for key in open_store(layer).list() if "_" in key)
    got, head = (served.data(key, method=method, Accept_Encoding="gzip") for method in ("GET", "HEAD"))
    got.headers.pop("date")
    head.headers.pop("date")
    assert head == (200, got.headers, b"")
    assert len(got.body) > 0


RANGES = [(0, 16), (0, 1), (5, 6), (100, 1300), (1, 10**17)]


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_a_part_of_an_object_is_exact(serve: Serve, layer: str, compress: Compression | None) -> None:
    data = bytes(range(256)) * 5
    open_store(layer).put("a.shard", data, compress=compress)
    served = serve(layer)
    for start, stop in RANGES:
        answer = served.data("a.shard", Range=f"bytes={start}-{stop - 1}", Accept_Encoding=BROWSER)
        assert (answer.status, answer.body) == (206, data[start:stop])
        told, _, total = answer.headers["content-range"].partition("/")
        assert told == f"bytes {start}-{min(stop, len(data)) - 1}"
        assert total in ("*", str(len(data)))
        assert "content-encoding" not in answer.headers


def test_open_ranges_say_the_whole_length(serve: Serve, layer: str) -> None:
    data = bytes(range(256)) * 5
    open_store(layer).put("a.shard", data)
    served = serve(layer)
    for header, start in (("bytes=1000-", 1000), ("bytes=-280", 1000), ("bytes=-9999", 0), ("bytes=1000-5000", 1000)):
        answer = served.data("a.shard", Range=header)
        assert (answer.status, answer.body) == (206, data[start:])
        assert answer.headers["content-range"] == f"bytes {start}-1279/1280"


@pytest.mark.parametrize("header", ["bytes=0-1,4-5", "bytes=5-2", "bytes=-0", "bytes=x-y", "lines=0-5", "bytes=-"])
def test_ranges_that_are_not_understood_get_the_whole(serve: Serve, layer: str, header: str) -> None:
    open_store(layer).put("a.shard", b"0123456789")
    answer = serve(layer).data("a.shard", Range=header)
    assert (answer.status, answer.body) == (200, b"0123456789")


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("header", ["bytes=10-10", "bytes=10-", "bytes=4000-5000"])
def test_a_range_beyond_the_end_is_refused(serve: Serve, layer: str, compress: Compression | None, header: str) -> None:
    open_store(layer).put("a.shard", b"0123456789", compress=compress)
    assert serve(layer).data("a.shard", Range=header).status == 416


def test_parts_of_shards_are_those_of_the_file(serve: Serve, tmp_path: Path) -> None:
    layer = sharded_layer(tmp_path)
    served = serve(layer.url)
    shards = [key for key in layer.store.list() if key.endswith(".shard")]
    assert len(shards) > 1
    for key in shards:
        data = layer.store.get(key)
        assert data is not None
        for start in range(0, len(data), 777):
            stop = min(start + 777, len(data))
            answer = served.data(key, Range=f"bytes={start}-{stop - 1}", Accept_Encoding=BROWSER)
            assert (answer.status, answer.body) == (206, data[start:stop])
            assert answer.headers["content-range"].startswith(f"bytes {start}-{stop - 1}/")


HOSTILE = [
    *("../secret", "a/../../secret", "..%2Fsecret", "%2e%2e/secret", "//etc/passwd", "%2Fetc%2Fpasswd", "/etc/passwd"),
    *("a%00b", "a\\b", ".", "", "8_8_40/", "%5C..%5Csecret", "info/x"),
]


@pytest.mark.parametrize("path", HOSTILE)
def test_keys_stay_in_their_layer(serve: Serve, layer: str, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_text("secret")
    served = serve(layer)
    prefix = urlsplit(served.server.data_url(0)).path
    answer = served.ask(f"{prefix}/{path}")
    assert answer.status == 404
    assert answer.body != b"secret"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(serve: Serve, layer: str, method: str) -> None:
    before = files_of(layer)
    served = serve(layer)
    assert served.data("info", method=method, Content_Length="0").status == 501
    assert files_of(layer) == before


def test_what_is_not_there_is_not_found(serve: Serve, layer: str) -> None:
    served = serve(layer)
    assert served.data("4_4_40/0-8_0-8_0-8").status == 404
    assert served.data("4_4_40/0-8_0-8_0-8", Range="bytes=0-5").status == 404
    assert served.data("4_4_40/0-8_0-8_0-8", Range="bytes=-5").status == 404
    for number in (1, 999999):
        assert served.data("info", number=number).status == 404
    assert served.ask(urlsplit(served.server.data_url(0)).path.removesuffix("0") + "x/info").status == 404


def test_nobody_gets_in_without_the_token(serve: Serve, layer: str) -> None:
    served = serve(layer)
    token = served.server.token
    assert len(token) >= 20
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    for path in ("/", f"/{wrong}", "/info", "/0/info", f"/once/{token}", "/once/", "/v//", "/data//0/info"):
        assert served.ask(path).status == 404
    for first in ("data/{}/0/info", "v/{}/", "v/{}/index.html", "events/{}"):
        assert served.ask("/" + first.format(wrong)).status == 404
        assert served.ask("/" + first.format("%C3%A9")).status == 404
    assert served.data("info").status == 200


def test_other_web_sites_may_not_read_and_learn_no_path(serve: Serve, layer: str) -> None:
    served = serve(layer)
    for answer in (served.data("info", Origin="https://example.com"), served.ask(f"/v/{served.server.token}/")):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["127.0.0.1:4711", "localhost", "[::1]:80", "node17.cluster:8080"])
def test_the_url_leads_to_a_page_that_asks_where_the_browser_asked(serve: Serve, layer: str, host: str) -> None:
    served = serve(layer)
    answer = served.ask(f"/{served.server.token}", Host=host)
    page, _, fragment = answer.headers["location"].partition("#!")
    state = json.loads(unquote(fragment))
    assert (answer.status, page) == (302, f"/v/{served.server.token}/")
    assert [one["source"] for one in state["layers"]] == [f"precomputed://http://{host}/data/{served.server.token}/0"]


@pytest.mark.parametrize("host", ["a/b", "a b", 'a"', "", "a:b", "x" * 300])
def test_a_host_that_is_none_is_refused(serve: Serve, layer: str, host: str) -> None:
    served = serve(layer)
    assert served.ask(f"/{served.server.token}", Host=host).status == 400


def test_the_url_that_a_browser_is_started_with_is_good_for_once(serve: Serve, layer: str) -> None:
    served = serve(layer)
    path = urlsplit(served.server.url_for_once).path
    assert served.server.token not in path
    assert [served.ask(path).status for _ in range(3)] == [302, 404, 404]
    assert served.ask(urlsplit(served.server.url).path).status == 302


def test_the_client_is_served_whole(serve: Serve, layer: str) -> None:
    served = serve(layer)
    page = f"/v/{served.server.token}/"
    assert served.ask(page).headers["content-type"] == "text/html; charset=utf-8"
    for file in client.find_client().iterdir():
        answer = served.ask(page + file.name)
        assert (answer.status, answer.body) == (200, file.read_bytes())
        if file.suffix in client.CONTENT_TYPES:
            assert answer.headers["content-type"] == client.CONTENT_TYPES[file.suffix]
    for name in ("nothing.js", "../__init__.py", "..", "%2e%2e/__init__.py", "a/index.html", ".hidden"):
        assert served.ask(page + name).status == 404


def test_a_missing_client_is_said(monkeypatch: pytest.MonkeyPatch, layer: str) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(BadUsage, match=r"not installed: pip install 'teravox\[view\]'"):
        ViewServer(look_at([layer]))


def test_a_port_that_is_taken_is_said(serve: Serve, layer: str) -> None:
    port = serve(layer).server.server_address[1]
    with pytest.raises(BadUsage, match=f"--port: cannot listen on port {port} of 127.0.0.1"):
        ViewServer(look_at([layer]), port=port)


def test_it_listens_on_the_loopback_only(serve: Serve, layer: str) -> None:
    assert serve(layer).server.server_address[0] == "127.0.0.1"


def test_a_layer_that_changes_is_seen_as_it_is_now(serve: Serve, layer: str) -> None:
    served = serve(layer)
    opened = Layer.open(layer)
    raw = opened.raw
    raw["mesh"] = "mesh"
    opened.write_info(raw)
    assert json.loads(served.data("info").body)["mesh"] == "mesh"


def test_a_damaged_object_is_an_error_that_says_so(serve: Serve, layer: str, caplog: pytest.LogCaptureFixture) -> None:
    Path(layer, "broken.gz").write_bytes(b"\x1f\x8b no")
    served = serve(layer)
    assert served.data("broken", Accept_Encoding="gzip").status == 200  # the browser finds it out
    answer = served.data("broken")
    assert answer.status == 500
    assert b"broken cannot be read" in answer.body
    assert "broken cannot be read" in caplog.text


def test_a_layer_of_another_place_is_served_like_a_local_one(serve: Serve) -> None:
    url = f"mem://{secrets.token_hex(8)}/layer"
    scale = new_scale(
        bounds=Box((0, 0, 0), (16, 16, 16)), resolution=(4, 4, 40), chunk=(8, 8, 8), encoding={"encoding": "raw"}
    )
    made = create_layer(url, new_info(type="image", data_type="uint8", channels=1, scales=[scale]))
    made.write(made.bounds(0), 0, voxels((16, 16, 16), "uint8"))
    answer = serve(url).data("4_4_40/0-8_0-8_0-8", Accept_Encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == made.store.get("4_4_40/0-8_0-8_0-8")
