"""Which folder of a layer holds its meshes or its skeletons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.urls import confine

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.objects.sort import Sort


def named_folder(layer: Layer, sort: Sort) -> str:
    """The folder that a layer's info names; BadInput where it names none."""
    named = layer.raw.get(sort.word)
    if not isinstance(named, str) or not named.strip("/"):
        raise BadInput(
            f"{layer.url} has no {sort.many}: its info names none. Make some with: "
            f"teravox {sort.one} forge {layer.url}, then teravox {sort.one} merge {layer.url}"
        )
    return confine(named.strip("/"), layer.url)
