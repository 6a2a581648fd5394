"""What a file of the Open Neural Network Exchange says of its network, read without the library that runs it.

The file is a message of Protocol Buffers (protobuf.dev/programming-guides/encoding); the numbers of its fields are those
of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from teravox.kernels.segmentation.step_file import StepFile

Field = tuple[int, int | memoryview]  # its number, and what it holds

GRAPH, INITIALIZER, OUTPUT = 7, 5, 12  # of a model; of a graph
DATA_LOCATION, EXTERNAL_DATA, EXTERNAL = 14, 13, 1  # of a tensor
INSIDE = {  # by the sort of a message, the fields that are messages in which tensors may lie
    "model": {GRAPH: "graph", 25: "function"},
    "graph": {1: "node", INITIALIZER: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}


class OnnxFile(NamedTuple):
    """Of a file, the bytes that it has; of its network, the channels that it gives, where it is known before it is run."""

    size: int
    channels: int | None


@lru_cache(maxsize=4)
def describe(file: StepFile) -> OnnxFile:
    """What a file says of its network; ValueError where it is none, or lacks weights that lie in another file."""
    data = file.read()
    try:
        apart = _find_weights_apart(memoryview(data))
        channels = _find_channels(memoryview(data))
    except (ValueError, IndexError, UnicodeDecodeError):
        raise ValueError(f"{file.name} is no ONNX file, or a damaged one") from None
    if apart is not None:
        raise ValueError(
            f"{file.name} lacks its weights, which lie in {apart!r} beside it, and workers get one file only. Make it one "
            "with: onnx.save(onnx.load(FILE), ONE_FILE)"
        )
    return OnnxFile(len(data), channels)


def _find_weights_apart(data: memoryview) -> str | None:
    """The name of a file in which numbers of a network lie."""
    waiting: list[tuple[str, memoryview]] = [("model", data)]
    while waiting:
        sort, message = waiting.pop()
        if sort == "tensor":
            said = dict(_fields(message))
            if said.get(DATA_LOCATION) == EXTERNAL:
                return _location(message)
            continue
        inside = INSIDE[sort]
        waiting += [(inside[number], value) for number, value in _messages(message) if number in inside]
    return None


def _location(tensor: memoryview) -> str:
    for number, entry in _messages(tensor):
        pair = dict(_messages(entry)) if number == EXTERNAL_DATA else {}
        if 2 in pair and bytes(pair.get(1, b"")) == b"location":
            return bytes(pair[2]).decode()
    return "another file"


def _find_channels(data: memoryview) -> int | None:
    """The second axis of what a network gives; ValueError where there is no network."""
    graphs = [value for number, value in _messages(data) if number == GRAPH]
    if not graphs:
        raise ValueError("there is no graph")
    message = next((value for number, value in _messages(graphs[-1]) if number == OUTPUT), None)
    for wanted in (2, 1, 2):  # the type of the output, of its tensor, the shape of this
        message = None if message is None else dict(_messages(message)).get(wanted)
    if message is None:
        return None
    axes = [value for number, value in _messages(message) if number == 1]
    size = dict(_fields(axes[1])).get(1) if len(axes) > 1 else None
    return size if isinstance(size, int) and size > 0 else None


def _messages(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message that may be messages, too."""
    return ((number, value) for number, value in _fields(message) if not isinstance(value, int))


def _fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message, in their order; ValueError or IndexError where it is none."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            whole, at = _varint(message, at)
            yield number, whole
            continue
        size = {1: 8, 5: 4}.get(wire)
        if wire == 2:
            size, at = _varint(message, at)
        if size is None or at + size > len(message) or number == 0:
            raise ValueError("it is no message")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A whole number of several bytes, and where it ends."""
    value = shift = 0
    while shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("it is no number")
