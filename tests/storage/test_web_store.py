"""Layers behind plain web servers: a folder that is served as it is, with its compressed files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from layers.make import make_layer, voxels

from teravox.pipeline.errors import BadInput, Transient
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage import cloud_store
from teravox.pipeline.storage.compression import compress
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Compression


class Folder(SimpleHTTPRequestHandler):
    """Serves a folder whole, and knows no ranges."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Apache(Folder):
    """Says of .gz files how they are compressed, by an old name."""

    def end_headers(self) -> None:
        if self.path.endswith(".gz"):
            self.send_header("Content-Encoding", "x-gzip")
        super().end_headers()


class Ranges(Folder):
    """Answers a question for a part with that part."""

    def do_GET(self) -> None:
        data = Path(self.translate_path(self.path)).read_bytes()
        start, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        part = data[int(start) : int(last) + 1]
        self.send_response(206 if part else 416)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)


class CutsOff(Folder):
    """Closes the line in the middle of everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True


Serve = Callable[[type[Folder]], str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves the test's folder; gives the URL."""
    ending: list[Callable[[], None]] = []

    def start(handler: type[Folder]) -> str:
        handler.asked = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path)))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()

        def end() -> None:
            server.shutdown()
            thread.join()
            server.server_close()

        ending.append(end)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for end in ending:
        end()


@pytest.mark.parametrize("handler", [Folder, Apache])
@pytest.mark.parametrize("how", [None, *get_args(Compression)])
def test_a_served_layer_reads_as_its_folder_does(
    tmp_path: Path, serve: Serve, how: str | None, handler: type[Folder]
) -> None:
    array = voxels((20, 19, 18), "uint8")
    path = make_layer(tmp_path / "layer", array, compress=how or False)
    served = Layer.open(f"{serve(handler)}/layer")
    assert np.array_equal(served.read(served.bounds(0), 0), Layer.open(path).read(served.bounds(0), 0))
    assert np.array_equal(served.read(served.bounds(0), 0), array)


def test_a_served_layer_of_shards_is_read_where_the_server_knows_no_ranges(tmp_path: Path, serve: Serve) -> None:
    array = voxels((20, 19, 18), "uint8")
    layer = Layer.open(make_layer(tmp_path / "layer", np.zeros_like(array)))
    raw = layer.raw
    raw["scales"][0]["sharding"] = {
        "@type": "neuroglancer_uint64_sharded_v1",
        "hash": "identity",
        "preshift_bits": 1,
        "minishard_bits": 2,
        "shard_bits": 3,
        "minishard_index_encoding": "gzip",
        "data_encoding": "gzip",
    }
    sharded = layer.write_info(raw)
    sharded.write(sharded.bounds(0), 0, array)
    served = Layer.open(f"{serve(Folder)}/layer")
    assert np.array_equal(served.read(served.bounds(0), 0), array)


def test_the_ending_that_was_right_is_asked_for_first(tmp_path: Path, serve: Serve) -> None:
    for number in range(4):
        (tmp_path / f"{number}.gz").write_bytes(compress(b"%d" % number, "gzip"))
    store = open_store(serve(Folder))
    assert [store.get(str(number)) for number in range(4)] == [b"0", b"1", b"2", b"3"]
    assert Folder.asked == ["/0", "/0.gz", "/1.gz", "/2.gz", "/3.gz"]


def test_what_is_there_in_no_ending_is_missing(tmp_path: Path, serve: Serve) -> None:
    store = open_store(serve(Folder))
    assert store.get("a/k") is None
    assert store.get_range("a/k", 0, 10) is None
    (tmp_path / "b.gz").write_bytes(compress(b"b", "gzip"))
    assert store.exists(["a", "b"]) == {"a": False, "b": True}


@pytest.mark.parametrize("handler", [Folder, Ranges])
def test_a_part_is_that_part_whether_or_not_the_server_knows_ranges(
    tmp_path: Path, serve: Serve, handler: type[Folder]
) -> None:
    data = bytes(range(256))
    (tmp_path / "k").write_bytes(data)
    store = open_store(serve(handler))
    for start, stop in ((0, 256), (0, 1), (10, 20), (200, 256), (200, 1000), (255, 300), (256, 300), (900, 901)):
        assert store.get_range("k", start, stop) == data[start:stop]


@pytest.mark.parametrize("handler", [Folder, Apache])
def test_a_part_of_a_compressed_file_is_refused(tmp_path: Path, serve: Serve, handler: type[Folder]) -> None:
    (tmp_path / "k.gz").write_bytes(compress(b"x" * 1000, "gzip"))
    with pytest.raises(BadInput, match="k is stored compressed"):
        open_store(serve(handler)).get_range("k", 0, 10)


def test_a_file_that_is_longer_than_it_may_be_is_not_fetched(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "k").write_bytes(bytes(1000))
    store = open_store(serve(Folder))
    assert store.get_stored("k", most=1000) == (bytes(1000), None)
    with pytest.raises(BadInput, match="k has 1,000 bytes where at most 999"):
        store.get_stored("k", most=999)


def test_what_arrives_in_part_only_is_never_taken_for_the_whole(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_store, "PAUSES", (0.0,))
    store = open_store(serve(CutsOff))
    for read in (lambda: store.get("k"), lambda: store.get_stored("k", most=2000), lambda: store.get_range("k", 0, 9)):
        with pytest.raises(Transient, match=r"cannot read .*/k: "):
            read()
