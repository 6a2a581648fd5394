"""Grey values that part the dark from the bright voxels of a whole image, by the counts that lie beside it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import msgspec

from teravox.pipeline.contrast.grey import open_grey
from teravox.pipeline.contrast.levels import Levels
from teravox.pipeline.errors import BadInput, BadUsage
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


def find_thresholds(url: str, mip: int, channel: int, classes: int, levels: str | None = None) -> Found:
    """The thresholds of all of a mip; BadInput says how to count its grey values where that is not done."""
    import numpy as np

    from teravox.kernels import otsu

    layer = open_grey(url, fresh=True)
    bounds = layer.bounds(mip)
    channels = layer.info.num_channels
    if not 0 <= channel < channels:
        raise BadUsage(f"{layer.url} has {channels} channels, counted from 0, and no channel {channel}")
    counted = Levels(open_store(levels or url), mip, layer.url)
    total = np.zeros(np.iinfo(layer.dtype).max + 1, np.uint64)
    for _, counts in counted.read(range(bounds.min[2], bounds.max[2]), layer.info.data_type, channels):
        total += counts[channel]
    try:
        cuts = otsu.find_thresholds(total, classes)
    except ValueError as error:
        raise BadInput(f"no threshold can be found in {layer.place(mip)}: {error}") from None
    edges = [0, *(cut + 1 for cut in cuts), len(total)]
    every = int(total.sum())
    return Found(
        layer=layer.url,
        mip=mip,
        channel=channel,
        classes=classes,
        thresholds=tuple(cut + 0.5 for cut in cuts),
        shares=tuple(int(total[a:b].sum()) / every for a, b in pairwise(edges)),
        counted=every,
    )
