"""The names and colors of classes, kept in a layer: a file of ours, and properties that Neuroglancer shows."""

from __future__ import annotations

from typing import Any

import msgspec

from teravox.kernels.learning.classes import Class, check_classes, color_of
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.store import Store

NAME = "classes.json"
FOLDER = "segment_properties"

Json = dict[str, Any]  # JSON may hold anything


class ClassFile(msgspec.Struct, frozen=True):
    """What `classes.json` holds: the classes of the labels 1, 2, 3 and so on."""

    classes: tuple[Class, ...]


def read_classes(layer: Layer) -> tuple[Class, ...]:
    """The classes of a layer's labels; none where it names none."""
    data = layer.store.get(NAME)
    if data is None:
        return _from_properties(layer)
    try:
        classes = msgspec.json.decode(data, type=ClassFile).classes
        check_classes(classes)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise BadInput(f"{layer.url}/{NAME} does not name classes: {error}. Correct it, or remove it") from None
    return classes


def write_classes(store: Store, classes: tuple[Class, ...]) -> None:
    """Keep classes, for us and for Neuroglancer; the layer's info must name the folder of its properties."""
    check_classes(classes)
    numbers = [str(number) for number in range(1, len(classes) + 1)]
    names = {"id": "label", "type": "label", "values": [one.name for one in classes]}
    properties: Json = {
        "@type": "neuroglancer_segment_properties",
        "inline": {"ids": numbers, "properties": [names]},
    }
    store.put(f"{FOLDER}/info", _encode(properties), content_type="application/json")
    store.put(NAME, _encode(ClassFile(classes)), content_type="application/json")


def _from_properties(layer: Layer) -> tuple[Class, ...]:
    """The names that the segments 1, 2, 3 have in a layer of somebody else's; none unless they have them all."""
    folder = layer.raw.get(FOLDER)
    data = layer.store.get(f"{folder.strip('/')}/info") if isinstance(folder, str) and folder.strip("/") else None
    try:
        inline = msgspec.json.decode(data or b"{}", type=_Properties).inline
        names = next((one.values for one in inline.properties if one.type == "label"), ())
        if not names or list(inline.ids) != [str(number) for number in range(1, len(names) + 1)]:
            return ()
        classes = tuple(Class(str(name), color_of(number)) for number, name in enumerate(names, 1))
        check_classes(classes)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):  # they are for a viewer, and say nothing of classes
        return ()
    return classes


class _Property(msgspec.Struct, frozen=True):
    type: str
    values: tuple[Any, ...] = ()  # of any type, by its kind


class _Inline(msgspec.Struct, frozen=True):
    ids: tuple[str, ...] = ()
    properties: tuple[_Property, ...] = ()


class _Properties(msgspec.Struct, frozen=True):
    inline: _Inline = _Inline()


def _encode(what: Json | ClassFile) -> bytes:
    return msgspec.json.format(msgspec.json.encode(what), indent=2) + b"\n"
