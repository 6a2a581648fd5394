"""A server of the page in this process, and how a browser would ask it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any, NamedTuple

from teravox.pipeline.labelling.label_server import LabelServer
from teravox.pipeline.labelling.session import LabelSession


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # Any: JSON
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode().strip()


class Asked:
    """Asks a server as its page does, or in other ways."""

    def __init__(self, server: LabelServer) -> None:
        self.server = server
        self.host = f"127.0.0.1:{server.server_address[1]}"

    def path(self, rest: str) -> str:
        first, _, rest = rest.partition("/")
        return f"/{first}/{self.server.token}/{rest}"

    def get(self, rest: str) -> Said:
        return self.ask("GET", self.path(rest))

    def post(self, first: str, said: object = None, **headers: str | None) -> Said:
        """Send JSON; a header of None is left out."""
        body = json.dumps({} if said is None else said).encode()
        usual: dict[str, str | None] = {"Origin": f"http://{self.host}", "Content-Type": "application/json"}
        given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", self.path(first), body, {name: value for name, value in given.items() if value})

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Said:
        connection = HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Said(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def serving(session: LabelSession) -> Iterator[Asked]:
    with LabelServer(session) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Asked(server)
        finally:
            server.shutdown()
            thread.join()
