"""Finds chunks that were cut off, where their codec would crash or not notice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from teravox.pipeline.box import Vec
from teravox.pipeline.layers.codecs.compressed_segmentation import check_labels
from teravox.pipeline.layers.codecs.compresso import check_compresso
from teravox.pipeline.layers.codecs.crackle import check_crackle
from teravox.pipeline.layers.codecs.fpzip import check_fpzip
from teravox.pipeline.layers.codecs.jpeg import check_jpeg
from teravox.pipeline.layers.codecs.png import check_png
from teravox.pipeline.layers.codecs.zfpc import check_zfpc

Shape = tuple[int, int, int, int]


def check_whole(encoding: str, data: bytes | bytearray, shape: Shape, dtype: np.dtype[Any], block: Vec) -> None:
    """Raise ValueError if encoded data end too early or are of another size, as far as one can tell without decoding them."""
    if not data:
        raise ValueError("it is empty")
    if encoding == "compressed_segmentation":
        check_labels(bytes(data), shape, dtype, block)
    elif encoding in _CHECKS:
        try:
            _CHECKS[encoding](bytes(data), shape, dtype)
        except ValueError:
            raise
        except Exception as error:  # noqa: BLE001 - each codec has exceptions of its own
            raise ValueError(f"its {encoding} data are broken ({error})") from None


def _check_raw(data: bytes, shape: Shape, dtype: np.dtype[Any]) -> None:
    expected = math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise ValueError(f"it has {len(data):,} bytes where {expected:,} are expected")


def _check_kempressed(data: bytes, shape: Shape) -> None:
    x, y, z, channels = shape
    check_fpzip(data, (x, y, channels, z))


_CHECKS: dict[str, Callable[[bytes, Shape, np.dtype[Any]], None]] = {
    "raw": _check_raw,
    "jpeg": lambda data, shape, _: check_jpeg(data, shape),
    "png": lambda data, shape, _: check_png(data, shape),
    "compresso": check_compresso,
    "crackle": check_crackle,
    "fpzip": lambda data, shape, _: check_fpzip(data, shape),
    "kempressed": lambda data, shape, _: _check_kempressed(data, shape),
    "zfpc": lambda data, shape, _: check_zfpc(data, shape),
}
