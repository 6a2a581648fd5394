"""Serves layers and the Neuroglancer client to a browser on this machine, to be read and never written."""

from __future__ import annotations

import logging
import re
import secrets
import socket
import sys
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.view.answer import Answer, answer
from teravox.pipeline.view.client import find_client, read_client_file
from teravox.pipeline.view.scene import Scene, with_sources
from teravox.pipeline.view.state import Position, Shown, as_fragment, make_state

LOOPBACK = "127.0.0.1"
PULSE = 15.0  # seconds between two signs of life to the client
IDLE = 60.0  # seconds after which a connection on which nobody asks is closed
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:]{1,45}\](?::[0-9]{1,5})?")


class ViewServer(ThreadingHTTPServer):
    """Listens on the loopback from its making to its closing, and answers while `serve_forever` runs.

    Every path holds a secret that only the printed URL tells, since the loopback is open to all users of a machine
    and to the pages of all web sites in the browser.
    """

    daemon_threads = False  # closing waits for them
    request_queue_size = 128  # who finds no place in it comes back a second later

    def __init__(
        self, shown: Sequence[Shown], *, port: int = 0, position: Position | None = None, scene: Scene | None = None
    ) -> None:
        self.shown = tuple(shown)
        self.position = position
        self.scene = scene
        self.client = find_client()
        self.token = secrets.token_urlsafe(18)
        self.ending = threading.Event()
        self._once = secrets.token_urlsafe(18)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise BadUsage(
                f"--port: cannot listen on port {port} of {LOOPBACK} ({error.strerror}). "
                "Choose another, or leave it out to get one that is free"
            ) from None

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """What shows the layers, in a browser."""
        return f"{self.address}/{self.token}"

    @property
    def url_for_once(self) -> str:
        """The same for one visit: all users of a machine see with which words a browser is started."""
        return f"{self.address}/once/{self._once}"

    def data_url(self, number: int, host: str | None = None) -> str:
        """Where a layer is served."""
        return f"{self.address if host is None else f'http://{host}'}/data/{self.token}/{number}"

    def page(self, host: str) -> str:
        """The path of the client's page with its state; layers are asked for under the name that the browser used."""
        sources = [self.data_url(number, host) for number in range(len(self.shown))]
        if self.scene is None:
            return f"/v/{self.token}/{as_fragment(make_state(self.shown, sources, self.position))}"
        return f"/v/{self.token}/{as_fragment(with_sources(self.scene, sources))}"

    def is_ours(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self.token.encode())

    def use_once(self, token: str) -> bool:
        """Whether this visit is the one that `url_for_once` is good for."""
        with self._lock:
            is_right = secrets.compare_digest(token.encode(), self._once.encode())
            if is_right:
                self._once = secrets.token_urlsafe(18)
            return is_right

    def get_request(self) -> tuple[socket.socket, Any]:  # Any: an address, as the socket's family has it
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # Any: as the base class has it
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        self.ending.set()
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the other side has left
                    continue
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as the base class has it
        error = sys.exception()
        if not isinstance(error, ConnectionError):  # a browser that moves on drops what it no longer needs
            logging.getLogger(__name__).error("a request could not be answered", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    server: ViewServer
    protocol_version = "HTTP/1.1"
    server_version = "teravox"
    sys_version = ""
    timeout = IDLE
    disable_nagle_algorithm = True  # else each body waits 40 ms for the word that its headers have arrived

    def do_GET(self) -> None:
        self._respond()

    def do_HEAD(self) -> None:
        self._respond()

    def _respond(self) -> None:
        path = unquote(urlsplit(self.path).path, errors="replace")
        first, _, rest = path.removeprefix("/").partition("/")
        token, slash, rest = rest.partition("/")
        server = self.server
        if (not token and server.is_ours(first)) or (first == "once" and server.use_once(token)):
            self._redirect()
        elif first == "data" and server.is_ours(token):
            self._send(self._data(rest))
        elif first == "v" and slash and server.is_ours(token):
            self._send(self._client_file(rest))
        elif first == "events" and server.is_ours(token):
            self._send_pulse()
        else:
            self._send(Answer.saying(HTTPStatus.NOT_FOUND, "there is nothing here; use the URL that teravox printed"))

    def _redirect(self) -> None:
        host = self.headers.get("Host", "")
        if _HOST.fullmatch(host):
            self._send(Answer(HTTPStatus.FOUND, b"", {"Location": self.server.page(host)}))
        else:
            self._send(Answer.saying(HTTPStatus.BAD_REQUEST, "the request does not say which host it is for"))

    def _data(self, path: str) -> Answer:
        number, _, key = path.partition("/")
        layers = self.server.shown
        if not re.fullmatch(r"[0-9]{1,6}", number, re.ASCII) or int(number) >= len(layers):
            return Answer.saying(HTTPStatus.NOT_FOUND, "there is no such layer")
        return answer(
            layers[int(number)].layer.url,
            key,
            range_header=self.headers.get("Range"),
            accepts=self.headers.get("Accept-Encoding", ""),
        )

    def _client_file(self, name: str) -> Answer:
        file = read_client_file(self.server.client, name)
        if file is None:
            return Answer.saying(HTTPStatus.NOT_FOUND, "the client has no such file")
        return Answer(HTTPStatus.OK, file[0], {"Content-Type": file[1]})

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self._end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _send_pulse(self) -> None:
        """The client listens for word from its server, and complains where there is none."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self._end_headers()
        while self.command != "HEAD":
            self.wfile.write(b": still here\n\n")
            if self.server.ending.wait(PULSE):
                return

    def _end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")  # layers change
        self.send_header("Referrer-Policy", "no-referrer")  # the path is a secret
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Requests are no news."""
