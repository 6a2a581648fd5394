"""Requests as they go over the wire, with nothing undone on the way."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from teravox.pipeline.view.server import ViewServer


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Served:
    """A server, and how one asks it."""

    def __init__(self, server: ViewServer) -> None:
        self.server = server

    def data(self, key: str, *, number: int = 0, method: str = "GET", **headers: str) -> Response:
        """What a layer answers; headers are written `Accept_Encoding`."""
        path = urlsplit(self.server.data_url(number)).path
        return self.ask(f"{path}/{quote(key)}", method=method, **headers)

    def ask(self, path: str, *, method: str = "GET", **headers: str) -> Response:
        connection = HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=60)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, path, skip_accept_encoding=True, skip_host="Host" in given)
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return Response(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()
