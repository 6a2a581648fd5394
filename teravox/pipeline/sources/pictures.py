"""PNG and JPEG files: what their first bytes say, and their voxels."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from teravox.pipeline.sources.tiff_page import Broken

if TYPE_CHECKING:
    from teravox.pipeline.sources.source import Array

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = 33  # bytes that say its size
_JPEG_END = b"\xff\xd9"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's word for colour; 3 is a palette, whose numbers are the voxels
_FIRST = 1 << 16  # bytes in which a JPEG says its size, unless it has a large preview


def png_shape(path: str) -> tuple[tuple[int, ...], str]:
    """Rows, columns and channels of a PNG, and its data type."""
    with Path(path).open("rb") as file:
        head = file.read(_PNG_HEAD)
    if len(head) < _PNG_HEAD or not head.startswith(_PNG):
        raise Broken("it is no PNG, or cut off")
    width, height, bits, colour = struct.unpack(">IIBB", head[16:26])
    channels = _CHANNELS.get(colour)
    if channels is None or bits not in {1, 2, 4, 8, 16}:
        raise Broken("its PNG header is damaged")
    dtype = "bool" if bits == 1 and colour == 0 else "uint16" if bits == 16 else "uint8"
    return ((height, width) if channels == 1 else (height, width, channels)), dtype


def read_png(path: str) -> Array:
    import numpy as np

    data = Path(path).read_bytes()
    if len(data) < _PNG_HEAD:
        raise Broken("it is cut off")
    bits, colour = data[24], data[25]
    try:
        if colour == 3 or bits < 8:
            return _read_small(path)
        from imagecodecs import png_decode

        return np.asarray(png_decode(data))
    except Exception as error:  # noqa: BLE001 - each library has exceptions of its own
        raise Broken(f"it cannot be decoded: {error}") from None


def _read_small(path: str) -> Array:
    """A PNG with a palette, as its numbers, or with less than a byte for a voxel."""
    import numpy as np
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # slices are large, and the user's own
    with Image.open(path) as image:
        return np.asarray(image)


def jpeg_shape(path: str) -> tuple[tuple[int, ...], str]:
    """Rows, columns and channels of a JPEG, and its data type."""
    import simplejpeg

    with Path(path).open("rb") as file:
        head = file.read(_FIRST)
        try:
            height, width, space, _ = simplejpeg.decode_jpeg_header(head)
        except ValueError:
            try:
                height, width, space, _ = simplejpeg.decode_jpeg_header(head + file.read())
            except ValueError as error:
                raise Broken(f"it is no JPEG, or cut off: {error}") from None
    if space not in {"Gray", "GRAY", "YCbCr", "RGB"}:
        raise Broken(f"its colours are {space}; grey and RGB can be read")
    return ((height, width) if space.lower() == "gray" else (height, width, 3)), "uint8"


def read_jpeg(path: str) -> Array:
    import numpy as np
    import simplejpeg

    data = Path(path).read_bytes()
    if _JPEG_END not in data[-1024:]:
        raise Broken("it is cut off")
    is_grey = len(jpeg_shape(path)[0]) == 2
    try:
        found = np.asarray(simplejpeg.decode_jpeg(data, "GRAY" if is_grey else "RGB", strict=True))
    except ValueError as error:
        raise Broken(f"it cannot be decoded: {error}") from None
    return found[:, :, 0] if is_grey else found
