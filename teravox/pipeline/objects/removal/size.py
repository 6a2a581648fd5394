"""How much lies in a folder of a layer."""

from __future__ import annotations

import os

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.units import say_bytes


def say_size(layer: Layer, folder: str) -> str:
    """How many objects a folder has and, where files can be asked for it, how many bytes."""
    if not layer.url.startswith("file://"):
        number = sum(1 for _ in layer.store.list(f"{folder}/"))
        return f"{number:,} {'object' if number == 1 else 'objects'}"
    number = size = 0
    for inner, _, names in os.walk(f"{layer.url.removeprefix('file://')}/{folder}"):
        for name in names:
            number += 1
            size += os.lstat(f"{inner}/{name}").st_size
    return f"{number:,} {'file' if number == 1 else 'files'}, {say_bytes(size)}"
