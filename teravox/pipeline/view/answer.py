"""What a layer answers to a request of the client: an object as it is stored, a part of one, or a translated one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from teravox.pipeline.errors import BadInput, TeravoxError
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.urls import confine
from teravox.pipeline.view.any_layer import AnyLayer
from teravox.pipeline.view.byte_range import ByteRange, content_range, parse_range
from teravox.pipeline.view.translate import find_translated, translate_chunk, translate_info
from teravox.pipeline.view.translate_skeletons import is_of_skeletons, translate_skeletons


class Answer(NamedTuple):
    """The status, the bytes and the headers that go back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}

    @classmethod
    def saying(cls, status: int, text: str) -> Answer:
        return cls(status, text.encode() + b"\n", {"Content-Type": "text/plain; charset=utf-8"})


def answer(asked: AnyLayer, key: str, *, range_header: str | None = None, accepts: str = "") -> Answer:
    """Answer a request for a key of a layer; `accepts` are the compressions that its sender undoes by itself."""
    try:
        confine(key, asked.url)
    except BadInput as error:
        return Answer.saying(HTTPStatus.NOT_FOUND, str(error))
    wanted = parse_range(range_header)
    try:
        layer = asked
        if isinstance(asked, Layer):
            layer = Layer.open(asked.url)
            if (translated := _translated(layer, key, wanted)) is not None:
                return translated
        return _stored(layer, key, _accepted(accepts)) if wanted is None else _part(layer, key, wanted)
    except TeravoxError as error:
        logging.getLogger(__name__).warning("%s", error)
        return Answer.saying(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))


def _translated(layer: Layer, key: str, wanted: ByteRange | None) -> Answer | None:
    """What the client cannot decode, said in another way; None for what it can."""
    chunk = find_translated(layer, key)
    if chunk is not None:
        body = translate_chunk(layer, *chunk)
        return _missing(layer, key) if body is None else _whole_or_part(body, key, wanted)
    if key == "info" and (body := translate_info(layer)) is not None:
        return _whole_or_part(body, key, wanted)
    if is_of_skeletons(layer, key) and (body := translate_skeletons(layer, key)) is not None:
        return _whole_or_part(body, key, wanted)
    return None


def _stored(layer: AnyLayer, key: str, accepted: frozenset[str]) -> Answer:
    """The whole object, still compressed where the client takes that."""
    stored = layer.store.get_stored(key)
    if stored is None:
        return _missing(layer, key)
    data, how = stored
    if how is None:
        return _whole_or_part(data, key, None)
    if how in accepted:
        return Answer(HTTPStatus.OK, data, {**_headers(key), "Content-Encoding": how})
    plain = layer.store.get(key)
    return _missing(layer, key) if plain is None else _whole_or_part(plain, key, None)


def _part(layer: AnyLayer, key: str, wanted: ByteRange) -> Answer:
    """A part of an object; of one that is stored compressed, a part of what it means."""
    start, stop = wanted
    if start < 0 or stop is None:
        whole = layer.store.get(key)
        return _missing(layer, key) if whole is None else _whole_or_part(whole, key, wanted)
    try:
        part = layer.store.get_range(key, start, stop)
    except BadInput:  # it is stored compressed
        whole = layer.store.get(key)
        return _missing(layer, key) if whole is None else _whole_or_part(whole, key, wanted)
    if part is None:
        return _missing(layer, key)
    ends = start + len(part)
    return _partial(key, start, part, ends if ends < stop else None)


def _whole_or_part(data: bytes, key: str, wanted: ByteRange | None) -> Answer:
    if wanted is None:
        return Answer(HTTPStatus.OK, data, _headers(key))
    return _partial(key, *wanted.of(data), len(data))


def _partial(key: str, start: int, part: bytes, total: int | None) -> Answer:
    if not part:
        text = f"{key} ends before byte {start}"
        return Answer.saying(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, text)
    return Answer(
        HTTPStatus.PARTIAL_CONTENT, part, {**_headers(key), "Content-Range": content_range(start, part, total)}
    )


def _missing(layer: AnyLayer, key: str) -> Answer:
    return Answer.saying(HTTPStatus.NOT_FOUND, f"{key} is not in {layer.url}")


def _headers(key: str) -> dict[str, str]:
    is_json = key.rpartition("/")[2] in ("info", "provenance")
    return {"Content-Type": "application/json" if is_json else "application/octet-stream", "Accept-Ranges": "bytes"}


def _accepted(header: str) -> frozenset[str]:
    """The words of an `Accept-Encoding` header, without those that it weighs with nothing."""
    words = (word.partition(";") for word in header.lower().split(","))
    return frozenset(name.strip() for name, _, weight in words if weight.replace(" ", "") not in ("q=0", "q=0.0"))
