"""Opens grey images, the only layers whose contrast means something."""

from __future__ import annotations

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer


def open_grey(url: str, *, fresh: bool = False) -> Layer:
    """The layer at a URL; BadUsage where it holds something else than grey values of 8 or 16 bits."""
    layer = Layer.open(url, fresh=fresh)
    if layer.info.type != "image":
        raise BadUsage(f"{layer.url} is a {layer.info.type}, and only images have a contrast")
    if layer.info.data_type not in ("uint8", "uint16"):
        raise BadUsage(f"{layer.url} holds {layer.info.data_type}; contrast is made of uint8 and uint16 only")
    return layer


def cut_bounds(layer: Layer, mip: int, bounds: Box | None) -> Box:
    """What `--bounds` leaves of a mip; BadUsage where that is nothing."""
    whole = layer.bounds(mip)
    inside = whole if bounds is None else bounds.intersect(whole)
    if inside.is_empty:
        raise BadUsage(f"--bounds: {bounds} lies outside of {layer.place(mip)}, which is {whole}")
    return inside
