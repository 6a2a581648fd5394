"""A server between SQS clients and an SQS server, that can refuse, spoil, delay and record what they say."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from servers.sqs_server import SqsServer

Payload = dict[str, Any]  # the JSON of a request or a reply, of whatever action
Answer = tuple[int, Payload]  # HTTP status, reply
Forward = Callable[[Payload], Answer]
Conduct = Callable[[str, Payload, Forward], Answer]  # action, request, how to ask the real server


class SqsProxy:
    """A proxy that passes all on, until `conduct` is set."""

    def __init__(self, server: SqsServer) -> None:
        self._server = server
        self._listener = _Listener(("127.0.0.1", 0), _handler(self))
        self.server = SqsServer(f"http://127.0.0.1:{self._listener.server_address[1]}")
        self.conduct: Conduct = lambda _action, payload, forward: forward(payload)
        self.calls: list[tuple[str, Payload]] = []

    def requests(self, action: str) -> list[Payload]:
        """What was asked for so far, of one action."""
        return [payload for name, payload in self.calls if name == action]

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        action = headers["X-Amz-Target"].rpartition(".")[2]
        payload = json.loads(body)
        self.calls.append((action, payload))
        return self.conduct(action, payload, lambda changed: self._ask(headers, changed))

    def _ask(self, headers: Mapping[str, str], payload: Payload) -> Answer:
        line = http.client.HTTPConnection(urlsplit(self._server.endpoint).netloc, timeout=60)
        kept = {name: value for name, value in headers.items() if name.lower() not in {"host", "content-length"}}
        try:
            line.request("POST", "/", json.dumps(payload).encode(), kept)
            reply = line.getresponse()
            return reply.status, json.loads(reply.read() or b"{}")
        finally:
            line.close()

    @contextmanager
    def serving(self) -> Iterator[SqsProxy]:
        thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self._listener.shutdown()
            thread.join()
            self._listener.server_close()


def error(code: str, text: str = "", status: int = 400) -> Answer:
    """What SQS says when it refuses a whole request."""
    return status, {"__type": f"com.amazonaws.sqs#{code}", "message": text}


class _Listener(ThreadingHTTPServer):
    daemon_threads = True


def _handler(proxy: SqsProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, reply = proxy.answer(dict(self.headers.items()), body)
            data = json.dumps(reply).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except ConnectionError:  # the client no longer waits
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Tests look at `calls`."""

    return Handler
