"""Layers and the Neuroglancer client as a server offers them: the objects of each layer, and the client's files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from teravox.pipeline.view.answer import Answer, answer
from teravox.pipeline.view.any_layer import AnyLayer
from teravox.pipeline.view.client import read_client_file
from teravox.pipeline.view.loopback import LoopbackServer, Request, Stream


class ServedLayers:
    """What stands behind `/data/SECRET/NUMBER/KEY`, `/v/SECRET/FILE` and `/events/SECRET`; it is only read."""

    def __init__(self, layers: Sequence[AnyLayer], client: Path | None) -> None:
        self._layers = tuple(layers)
        self._client = client

    def sources(self, address: str, token: str) -> list[str]:
        """The URL of each layer, under the address by which a browser reaches the server."""
        return [source_of(address, token, number) for number in range(len(self._layers))]

    def respond(self, request: Request, server: LoopbackServer) -> Answer | Stream | None:
        """The answer to a request for a layer or for the client; None where it is for something else."""
        if request.body is not None:
            return None
        if request.first == "data":
            return self._data(request)
        if request.first == "v" and request.rest is not None:
            return self._client_file(request.rest)
        return Stream(server.pulse) if request.first == "events" else None

    def _data(self, request: Request) -> Answer:
        number, _, key = (request.rest or "").partition("/")
        if not re.fullmatch(r"[0-9]{1,6}", number, re.ASCII) or int(number) >= len(self._layers):
            return Answer.saying(HTTPStatus.NOT_FOUND, "there is no such layer")
        return answer(
            self._layers[int(number)],
            key,
            range_header=request.headers.get("Range"),
            accepts=request.headers.get("Accept-Encoding", ""),
        )

    def _client_file(self, name: str) -> Answer:
        file = None if self._client is None else read_client_file(self._client, name)
        if file is None:
            return Answer.saying(HTTPStatus.NOT_FOUND, "the client has no such file")
        return Answer(HTTPStatus.OK, file[0], {"Content-Type": file[1]})


def source_of(address: str, token: str, number: int) -> str:
    """Where a layer is served."""
    return f"{address}/data/{token}/{number}"
