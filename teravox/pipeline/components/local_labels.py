"""The labels of a box as they lie between the first stage and the last: packed chunk by chunk, as DEST will have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.bundle import Entry, pack_array, read_bundle
from teravox.pipeline.components.stage_files import file_key, remedy
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.storage.side_by_side import LOCAL_LANES, do_all
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.equal_runs import Runs

    Labels = NDArray[np.uint32]  # of a chunk, x, y, z and a channel
    Table = NDArray[Any]  # uint32 or uint64: what becomes of each label

STAGE = "labels"
BLOCK = (8, 8, 8)  # of compressed_segmentation
_PACKING = 20  # bytes that a voxel of a chunk takes while it is packed, at worst
# How the labels of a chunk are kept, by the encoding of DEST: so that relabelling needs not unpack them. Others are kept
# as the first one, and what is larger then than its voxels plain.
_KEPT = {"compressed_segmentation": "packed", "compresso": "compresso"}
_PLAIN = "plain"


def local_key(folder: str, index: int) -> str:
    return file_key(folder, STAGE, index)


def pack_local_labels(runs: Runs, box: Box, chunks: Sequence[Box], encoding: str) -> list[tuple[Entry, bytes]]:
    """The parts of a bundle that keeps the labels of a box, for a DEST of this encoding."""
    from teravox.kernels.equal_runs import paint

    encoding = encoding if encoding in _KEPT else "compressed_segmentation"
    parts: list[tuple[Entry, bytes] | None] = [None] * len(chunks)

    def pack(number: int) -> None:
        chunk = chunks[number]
        at = chunk.shift((-box.min[0], -box.min[1], -box.min[2]))
        parts[number] = _pack(paint(runs, at.min, at.max), chunk, number, encoding)

    do_all(pack, range(len(chunks)), LOCAL_LANES)
    return [part for part in parts if part is not None]


def packing_bytes(box: Box, chunk: Vec) -> int:
    """The bytes that chunks on their way take at worst, beside those for each voxel of the box."""
    return _PACKING * min(math.prod(chunk) * LOCAL_LANES, box.voxels)


class LocalLabels:
    """The labels of a box, read again."""

    def __init__(self, store: Store, folder: str, index: int) -> None:
        key = local_key(folder, index)
        self._bundle = read_bundle(store, key, remedy("faces"))
        self._place = f"{store.url}/{key}"

    def relabel(self, number: int, chunk: Box, table: Table) -> Table:
        """The voxels of a chunk, each label replaced by what the table has at its place."""
        import numpy as np

        from teravox.pipeline.layers.codec import decode

        if f"{_PLAIN}{number}" in self._bundle:
            return table[self._bundle.get(f"{_PLAIN}{number}").reshape((*chunk.size, 1), order="F")]
        encoding = next((one for one in _KEPT if f"{_KEPT[one]}{number}" in self._bundle), "compressed_segmentation")
        replaced = self.relabel_packed(number, chunk, table, encoding)
        data = self._bundle.get(f"{_KEPT[encoding]}{number}").tobytes() if replaced is None else replaced
        dtype = np.dtype(np.uint32) if replaced is None else table.dtype
        try:
            labels = decode(data, _scale(chunk, encoding), (*chunk.size, 1), dtype)
        except ValueError as error:
            raise BadInput(f"{self._place} cannot be read: {error}; {remedy('faces')}") from None
        return table[labels] if replaced is None else labels

    def relabel_packed(self, number: int, chunk: Box, table: Table, encoding: str) -> bytes | None:
        """The same as a chunk in this encoding, without unpacking it; None if it is not kept so, or cannot stay so."""
        from teravox.kernels.packed_labels import number_of_blocks, relabel_blocks, relabel_compresso

        name = f"{_KEPT.get(encoding)}{number}"
        if name not in self._bundle:
            return None
        words = self._bundle.get(name)
        if encoding == "compresso":
            return relabel_compresso(words.tobytes(), table)
        if table.itemsize > 4:
            return None
        return relabel_blocks(words, number_of_blocks(chunk.size, BLOCK), table).tobytes()


def _pack(labels: Labels, chunk: Box, number: int, encoding: str) -> tuple[Entry, bytes]:
    import numpy as np

    from teravox.pipeline.layers.codec import encode

    try:
        data = encode(labels[..., np.newaxis], _scale(chunk, encoding))
    except OverflowError:
        data = None
    if data is None or len(data) > labels.nbytes:
        return pack_array(f"{_PLAIN}{number}", labels.reshape(-1, order="F"))
    words = np.uint8 if encoding == "compresso" else np.uint32
    return pack_array(f"{_KEPT[encoding]}{number}", np.frombuffer(data, words))


def _scale(chunk: Box, encoding: str) -> Scale:
    """As the codec is told what to do."""
    return Scale(
        key="local",
        size=chunk.size,
        resolution=(1, 1, 1),
        chunk_sizes=(chunk.size,),
        encoding=encoding,
        compressed_segmentation_block_size=BLOCK,
    )
