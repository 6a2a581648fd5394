"""Finds chunks that were cut off, where their codec would crash or not notice."""

from __future__ import annotations

from typing import Any

import numpy as np

from teravox.pipeline.box import Vec
from teravox.pipeline.layers import compressed_segmentation

_PNG_END = b"IEND\xaeB`\x82"


def check_whole(encoding: str, data: bytes, shape: tuple[int, int, int, int], dtype: np.dtype[Any], block: Vec) -> None:
    """Raise ValueError if encoded data end too early, as far as one can tell without decoding them."""
    if not data:
        raise ValueError("it is empty")
    if encoding == "raw":
        expected = int(np.prod(shape)) * dtype.itemsize
        if len(data) != expected:
            raise ValueError(f"it has {len(data):,} bytes where {expected:,} are expected")
    elif encoding == "compressed_segmentation":
        compressed_segmentation.check_whole(data, shape, dtype, block)
    elif encoding == "crackle":
        _check_crackle(data)
    elif encoding == "png" and not data.endswith(_PNG_END):
        raise ValueError("it has no end")


def _check_crackle(data: bytes) -> None:
    """By the list of where each plane begins; check sums follow the last plane."""
    import crackle

    try:
        head = crackle.header(data)
        sums = 4 * head.sz + 4 if head.format_version > 0 else 0
        least = int(crackle.codec.grid_index(data)[-1]) + sums
    except Exception as error:  # noqa: BLE001 - it has exceptions of its own, and raises numpy's
        raise ValueError(f"its crackle data are broken ({error})") from None
    if len(data) < least:
        raise ValueError(f"it has {len(data):,} bytes where at least {least:,} are expected")
