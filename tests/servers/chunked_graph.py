"""What a Graphene server answers: the info of a volume, and to which bodies supervoxels belong at a moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint64]
TOKEN = "0123456789abcdef"
LAYERS = 5  # of the graph; bodies are of the last one


class ChunkedGraph(ThreadingHTTPServer):
    """One volume by the name of `fly`."""

    def __init__(self, info: dict[str, Any], data: str, bodies: Callable[[Labels, int], Labels]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        graph = {
            "chunk_size": [32, 32, 16],
            "n_layers": LAYERS,
            "n_bits_for_layer_id": 8,
            "cv_mip": 0,
            "spatial_bit_masks": {str(layer): 10 for layer in range(1, LAYERS + 1)},
        }
        self.info = info | {"app": {"supported_api_versions": [0, 1]}, "graph": graph, "data_dir": data}
        self.bodies = bodies
        self.moments: list[int] = []  # that were asked for

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"graphene://http://{self.place}/segmentation/table/fly"


class _Answers(BaseHTTPRequestHandler):
    server: ChunkedGraph

    def do_GET(self) -> None:
        if self.path == "/segmentation/table/fly/info":
            self._answer(json.dumps(self.server.info).encode())
        else:
            self._answer(b"", 404)

    def do_POST(self) -> None:
        asked = urlsplit(self.path)
        labels = np.frombuffer(self.rfile.read(int(self.headers["Content-Length"])), np.uint64)
        if asked.path != "/segmentation/api/v1/table/fly/roots_binary":
            self._answer(b"", 404)
            return
        moment = int(parse_qs(asked.query)["timestamp"][0])
        self.server.moments.append(moment)
        self._answer(self.server.bodies(labels, moment).tobytes())

    def _answer(self, body: bytes, status: int = 200) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            body, status = b"", 403
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request."""


@contextmanager
def chunked_graph(info: dict[str, Any], data: str, bodies: Callable[[Labels, int], Labels]) -> Iterator[ChunkedGraph]:
    """Listens on the loopback for as long as it is needed."""
    with ChunkedGraph(info, data, bodies) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
