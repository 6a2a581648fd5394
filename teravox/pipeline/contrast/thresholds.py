"""Grey values that part the dark from the bright voxels of a whole image, by counts that lie beside it or, for fractions, are made for it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import msgspec

from teravox.pipeline.contrast.fractions import Binned, count_fractions
from teravox.pipeline.contrast.grey import open_grey
from teravox.pipeline.contrast.levels import Levels
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.open import open_store

FORM = "a grey value, otsu, or otsu:CLASSES/WHICH such as otsu:3/2"
_WORD = re.compile(r"otsu(?::([0-9]{1,3})/([0-9]{1,3}))?")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds of a channel, ascending; a voxel is brighter than one if its value is at least that."""

    layer: str
    mip: int
    channel: int
    classes: int
    thresholds: tuple[float, ...]
    shares: tuple[float, ...]  # of what was counted, by class
    counted: int  # voxels


class Wanted(NamedTuple):
    """One of the thresholds between so many classes; 1 is the darkest."""

    classes: int
    which: int


def read_word(text: str) -> Wanted:
    """What `otsu` or `otsu:3/2` means; ValueError with a sentence if it is neither."""
    from teravox.kernels.otsu import MOST_CLASSES

    found = _WORD.fullmatch(text)
    if found is None:
        raise ValueError(f"expected {FORM}, got {text[:80]!r}")
    wanted = Wanted(int(found[1] or 2), int(found[2] or 1))
    if not (2 <= wanted.classes <= MOST_CLASSES and 1 <= wanted.which < wanted.classes):
        raise ValueError(
            f"expected 2 to {MOST_CLASSES} classes, between which there is one threshold less, got {text[:80]!r}"
        )
    return wanted


def find_thresholds(
    url: str, mip: int, channel: int, classes: int, levels: str | None = None, *, fill_missing: bool = False
) -> Found:
    """The thresholds of all of a mip; BadInput says how to count its grey values where that is not done.

    Those of float32 are counted now, in so many chunks that it takes some seconds.
    """
    from teravox.kernels import otsu

    layer = Layer.open(url, fresh=True)
    place = layer.place(mip)
    if not 0 <= channel < layer.info.num_channels:
        raise BadUsage(f"{layer.url} has {layer.info.num_channels} channels, counted from 0, and no channel {channel}")
    try:
        if (layer.info.type, layer.info.data_type) == ("image", "float32"):
            if levels is not None:
                raise BadUsage("--levels: counts of float32 are made when they are needed, and kept nowhere")
            counted = count_fractions(layer, mip, channel, fill_missing=fill_missing)
        else:
            counted = _read_counts(open_grey(url, fresh=True), mip, channel, levels)
        cuts = otsu.find_thresholds(counted.counts, classes)
    except ValueError as error:
        raise BadInput(f"no threshold can be found in {place}: {error}") from None
    edges = [0, *(cut + 1 for cut in cuts), len(counted.counts)]
    every = int(counted.counts.sum())
    return Found(
        layer=layer.url,
        mip=mip,
        channel=channel,
        classes=classes,
        thresholds=tuple(counted.low + edge * counted.width for edge in edges[1:-1]),
        shares=tuple(int(counted.counts[a:b].sum()) / every for a, b in pairwise(edges)),
        counted=every,
    )


def _read_counts(layer: Layer, mip: int, channel: int, levels: str | None) -> Binned:
    """The counts of whole numbers, each in the middle of its bin."""
    import numpy as np

    bounds = layer.bounds(mip)
    total = np.zeros(np.iinfo(layer.dtype).max + 1, np.uint64)
    kept = Levels(open_store(levels or layer.url), mip, layer.url)
    for _, counts in kept.read(range(bounds.min[2], bounds.max[2]), layer.info.data_type, layer.info.num_channels):
        total += counts[channel]
    return Binned(total, -0.5, 1.0)
