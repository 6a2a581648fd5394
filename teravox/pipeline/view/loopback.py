"""An HTTP server for the browser on this machine: its secret, its connections, and what it makes of a request."""

from __future__ import annotations

import logging
import re
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.view.answer import Answer

LOOPBACK = "127.0.0.1"
PULSE = 15.0  # seconds between two signs of life to the client
IDLE = 60.0  # seconds after which a connection on which nobody asks is closed
JSON = "application/json"  # what is sent to us; a page of another web site would have to ask first
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:]{1,45}\](?::[0-9]{1,5})?")
_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)


class Request(NamedTuple):
    """What somebody who knows the secret asks for: `/first/SECRET/rest?query`."""

    first: str
    rest: str | None  # None where not even a slash follows
    query: Mapping[str, str]
    headers: Message
    body: bytes | None = None  # of what is sent to us

    @property
    def host(self) -> str:
        """The name under which the browser reached us."""
        return self.headers.get("Host", "")


class Stream(NamedTuple):
    """An answer that goes on: server-sent events, until they end or the other side leaves."""

    events: Callable[[], Iterator[bytes]]


class LoopbackServer(ThreadingHTTPServer):
    """Listens on the loopback from its making to its closing, and answers while `serve_forever` runs.

    Every path holds a secret that only the printed URL tells, since the loopback is open to all users of a machine
    and to the pages of all web sites in the browser. Subclasses say what there is behind it.
    """

    daemon_threads = False  # closing waits for them
    request_queue_size = 128  # who finds no place in it comes back a second later
    most_sent = 0  # bytes that may be sent to us at once; 0: nothing may, so that nothing can be changed

    def __init__(self, port: int = 0) -> None:
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

    def page(self, host: str) -> str:
        """The path of the page that the URL leads to, for a browser that reached us under this name."""
        raise NotImplementedError

    def respond(self, request: Request) -> Answer | Stream | None:
        """The answer to a request; None where there is nothing."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """What leads to the page, in a browser."""
        return f"{self.address}/{self.token}"

    @property
    def url_for_once(self) -> str:
        """The same for one visit: all users of a machine see with which words a browser is started."""
        return f"{self.address}/once/{self._once}"

    def is_ours(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self.token.encode())

    def use_once(self, token: str) -> bool:
        """Whether this visit is the one that `url_for_once` is good for."""
        with self._lock:
            is_right = secrets.compare_digest(token.encode(), self._once.encode())
            if is_right:
                self._once = secrets.token_urlsafe(18)
            return is_right

    def pulse(self) -> Iterator[bytes]:
        """Signs of life: a client listens for word from its server, and complains where there is none."""
        yield b": still here\n\n"
        while not self.ending.wait(PULSE):
            yield b": still here\n\n"

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
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    server_version = "teravox"
    sys_version = ""
    timeout = IDLE
    disable_nagle_algorithm = True  # else each body waits 40 ms for the word that its headers have arrived

    def do_GET(self) -> None:
        self._respond()

    def do_HEAD(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        if not self.server.most_sent:
            self.send_error(HTTPStatus.NOT_IMPLEMENTED, "nothing can be sent here")
            return
        self.close_connection = True  # unless all that was sent is read
        refusal = self._refusal()
        if refusal is not None:
            self._send(refusal)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = False
        self._respond(body)

    def _refusal(self) -> Answer | None:
        """Why nobody reads what is sent: pages of other web sites, and bodies without an end."""
        host, length = self.headers.get("Host", ""), self.headers.get("Content-Length", "")
        _, token, _ = self._parts()
        if not self.server.is_ours(token):
            return _NOTHING_HERE
        if not _HOST.fullmatch(host) or self.headers.get("Origin") != f"http://{host}":
            return Answer.saying(HTTPStatus.FORBIDDEN, "only the page that teravox has served may send something")
        if self.headers.get("Content-Type", "").partition(";")[0].strip() != JSON:
            return Answer.saying(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"what is sent must be {JSON}")
        if not _LENGTH.fullmatch(length):
            return Answer.saying(HTTPStatus.LENGTH_REQUIRED, "what is sent must say how long it is")
        if int(length) > self.server.most_sent:
            return Answer.saying(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"{int(length):,} bytes are too many: at most {self.server.most_sent:,} can be sent at once",
            )
        return None

    def _parts(self) -> tuple[str, str, str | None]:
        path = unquote(urlsplit(self.path).path, errors="replace")
        first, _, rest = path.removeprefix("/").partition("/")
        token, slash, rest = rest.partition("/")
        return first, token, rest if slash else None

    def _respond(self, body: bytes | None = None) -> None:
        first, token, rest = self._parts()
        server = self.server
        if body is None and ((not token and server.is_ours(first)) or (first == "once" and server.use_once(token))):
            self._redirect()
            return
        answer: Answer | Stream | None = None
        if server.is_ours(token):
            query = dict(parse_qsl(urlsplit(self.path).query))
            answer = server.respond(Request(first, rest, query, self.headers, body))
        if isinstance(answer, Stream):
            self._send_stream(answer)
        else:
            self._send(answer or _NOTHING_HERE)

    def _redirect(self) -> None:
        host = self.headers.get("Host", "")
        if _HOST.fullmatch(host):
            self._send(Answer(HTTPStatus.FOUND, b"", {"Location": self.server.page(host)}))
        else:
            self._send(Answer.saying(HTTPStatus.BAD_REQUEST, "the request does not say which host it is for"))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self._end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _send_stream(self, stream: Stream) -> None:
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self._end_headers()
        if self.command != "HEAD":
            for event in stream.events():
                self.wfile.write(event)

    def _end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")  # layers change
        self.send_header("Referrer-Policy", "no-referrer")  # the path is a secret
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Requests are no news."""


_NOTHING_HERE = Answer.saying(HTTPStatus.NOT_FOUND, "there is nothing here; use the URL that teravox printed")
