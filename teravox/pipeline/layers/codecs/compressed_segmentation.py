"""compressed_segmentation: every channel of a chunk in blocks, behind a list of where each channel begins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.box import Vec

Array = NDArray[Any]  # uint32 or uint64
Shape = tuple[int, int, int, int]


def encode_labels(voxels: Array, block: Vec) -> bytes:
    from teravox.kernels.compressed_segmentation.memory import has_rows
    from teravox.kernels.compressed_segmentation.pack import pack_labels

    if not has_rows(voxels):
        voxels = np.array(voxels, order="F")
    channels = [pack_labels(voxels[..., channel], block) for channel in range(voxels.shape[3])]
    starts = np.cumsum([len(channels), *map(len, channels[:-1])])
    if starts[-1] >= 1 << 32:
        raise OverflowError("its channels do not fit into one chunk")
    return b"".join(
        [starts.astype("<u4").tobytes(), *(words.astype("<u4", copy=False).tobytes() for words in channels)]
    )


def decode_labels(data: bytes, shape: Shape, dtype: np.dtype[Any], block: Vec, out: Array | None) -> Array:
    """Into `out`, where it is given and lies in memory as it must, or else into an array of its own."""
    from teravox.kernels.compressed_segmentation.memory import has_rows
    from teravox.kernels.compressed_segmentation.unpack import unpack_labels

    check_labels(data, shape, dtype, block)
    voxels = out if out is not None and has_rows(out) else np.empty(shape, dtype, order="F")
    for channel, words in enumerate(_channels(data, shape[3])):
        unpack_labels(words, block, voxels[..., channel])
    return voxels


def decode_label_modes(data: bytes, shape: Shape, dtype: np.dtype[Any], block: Vec, out: Array) -> bool:
    """Put the most frequent label of each cell of 2 x 2 x 1 voxels into `out`, without unpacking the voxels, if that can be done."""
    from teravox.kernels.compressed_segmentation.memory import has_rows
    from teravox.kernels.compressed_segmentation.modes import can_take_modes, unpack_modes

    if not can_take_modes(block, shape[:3]) or not has_rows(out):
        return False
    check_labels(data, shape, dtype, block)
    for channel, words in enumerate(_channels(data, shape[3])):
        unpack_modes(words, block, out[..., channel])
    return True


def check_labels(data: bytes, shape: Shape, dtype: np.dtype[Any], block: Vec) -> None:
    """Raise ValueError if anything in the data points beyond their end."""
    from teravox.kernels.compressed_segmentation.unpack import WRONG, find_fault

    if len(data) % 4:
        raise ValueError(f"it has {len(data):,} bytes, which is no number of 32-bit words")
    if len(data) < 4 * shape[3]:
        raise ValueError("it ends within its list of channels")
    for words in _channels(data, shape[3]):
        fault = find_fault(words, block, shape[:3], dtype.itemsize // 4)
        if fault:
            raise ValueError(WRONG[fault])


def _channels(data: bytes, count: int) -> list[NDArray[np.uint32]]:
    """The words from the beginning of each channel on."""
    words = np.frombuffer(data, "<u4")
    return [words[start:] for start in words[:count].tolist()]
