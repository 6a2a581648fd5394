"""Tiles of the small image, and what they show of a volume."""

from __future__ import annotations

from layers.make import Array

from teravox.pipeline.labelling.planes import PLANES, Tile
from teravox.pipeline.labelling.session import LabelSession
from teravox.pipeline.layers.layer import Layer

TILES = [Tile("xy", 0, 40, 0, 0), Tile("xz", 0, 50, 0, 0), Tile("yz", 0, 70, 0, 0)]


def slice_of(volume: Array, tile: Tile, image: Layer) -> Array:
    """The rows of a tile, in a volume of z, y and x."""
    plane = PLANES[tile.plane]
    taken = volume.T.take(tile.at - image.bounds(0).min[plane.across], plane.across)
    rows: Array = taken.T if plane.column < plane.row else taken
    return rows


def predicted(session: LabelSession, tile: Tile, image: Layer) -> tuple[Array, Array]:
    found = session.live.predicted(tile)
    assert found is not None
    size, plane = image.bounds(0).size, PLANES[tile.plane]
    classes, unsure = found[1].reshape(2, size[plane.row], size[plane.column])
    return classes, unsure
