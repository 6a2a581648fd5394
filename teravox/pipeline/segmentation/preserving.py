"""Bodies that keep their voxels and their ids: their list, and where they are in a block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box
from teravox.pipeline.bundle import pack_bundle, read_bundle
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.segmentation.plan_file import REMEDY
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ids = NDArray[np.uint64]  # ascending
    Places = NDArray[np.uint32]  # of a box, x, y, z in Fortran order: 1 + the place of a body's id in the list, else 0

MOST_ID = 1 << 62  # above which no ids would be left for others


class Bodies(NamedTuple):
    """The bodies that are preserved, and the layer that they are in."""

    layer: Layer
    mip: int
    ids: Ids
    fill_missing: bool

    def find(self, box: Box) -> Places:
        """Where they are in a box; nowhere beyond the bounds of their layer."""
        import numpy as np

        from teravox.kernels.segmentation.results import places_of

        found = np.zeros(box.size, np.uint32, order="F")
        theirs = box.intersect(self.layer.bounds(self.mip))
        if not theirs.is_empty:
            labels = self.layer.read(theirs, self.mip, fill_missing=self.fill_missing)[..., 0]
            found[within(theirs, box)] = places_of(labels, self.ids)
        return found


def parse_ids(data: bytes, path: str) -> Ids:
    """The ids of a file, ascending and each once; BadUsage names the word that is none."""
    import numpy as np

    words = re.split(r"[\s,;\[\]]+", data.decode(errors="replace"))
    ids = set()
    for word in filter(None, words):
        if not re.fullmatch(r"[0-9]{1,19}", word) or not 0 < int(word) < MOST_ID:
            raise BadUsage(f"--preserve-ids: {path} holds {word[:40]!r}, which is no id from 1 to {MOST_ID - 1}")
        ids.add(int(word))
    if not ids:
        raise BadUsage(f"--preserve-ids: {path} holds no ids")
    return np.array(sorted(ids), np.uint64)


def base_above(ids: Ids, bits: int) -> int:
    """The first multiple of a block's room for ids that lies above them."""
    return ((int(ids[-1]) >> bits) + 1) << bits


def pack_ids(ids: Ids) -> bytes:
    return pack_bundle({}, {"ids": ids})


def read_ids(store: Store, key: str) -> Ids:
    return read_bundle(store, key, REMEDY).get("ids")


def open_bodies(url: str, resolution: tuple[float, float, float], ids: Ids, *, fill_missing: bool) -> Bodies:
    """The bodies of a layer at a resolution; BadUsage where it holds no labels of it."""
    import math

    layer = Layer.open(url)
    if layer.info.data_type.startswith("float") or layer.info.num_channels != 1:
        raise BadUsage(
            f"--preserve: {layer.url} holds {layer.info.data_type} in {layer.info.num_channels} channels, and no labels"
        )
    for mip, scale in enumerate(layer.info.scales):
        if all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(scale.resolution, resolution, strict=True)):
            return Bodies(layer, mip, ids, fill_missing)
    has = ", ".join(str(scale.resolution) for scale in layer.info.scales)
    raise BadUsage(f"--preserve: {layer.url} has no mip with voxels of {resolution} nm, but {has}")
