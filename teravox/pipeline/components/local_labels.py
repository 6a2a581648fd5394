"""The labels of a box as they lie between the first stage and the last: packed chunk by chunk, as DEST will have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box
from teravox.pipeline.bundle import Entry, join_parts, pack_array, read_bundle
from teravox.pipeline.components.stage_files import file_key, remedy
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.storage.side_by_side import LOCAL_LANES, do_all
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint32]  # of a box or a chunk, x, y and z
    Table = NDArray[Any]  # uint32 or uint64: what becomes of each label

STAGE = "labels"
BLOCK = (8, 8, 8)  # of compressed_segmentation
_PACKED, _PLAIN = "packed", "plain"  # how the labels of a chunk are kept: what takes less


def local_key(folder: str, index: int) -> str:
    return file_key(folder, STAGE, index)


def pack_local_labels(labels: Labels, box: Box, chunks: Sequence[Box]) -> bytes:
    """The bytes that keep the labels of a box."""
    from teravox.pipeline.layers.layer import within

    parts: list[tuple[Entry, bytes] | None] = [None] * len(chunks)
    voxels = labels.reshape((*labels.shape, 1), order="F")  # with a channel, as the codec takes them

    def pack(place: int) -> None:
        chunk = chunks[place]
        parts[place] = _pack(voxels[within(chunk, box)], chunk, place)

    do_all(pack, range(len(chunks)), LOCAL_LANES)
    return join_parts({}, [part for part in parts if part is not None])


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
        replaced = self.relabel_packed(number, chunk, table) if table.dtype == np.uint32 else None
        data = self._bundle.get(f"{_PACKED}{number}").tobytes() if replaced is None else replaced
        try:
            labels = decode(data, _scale(chunk), (*chunk.size, 1), np.dtype(np.uint32))
        except ValueError as error:
            raise BadInput(f"{self._place} cannot be read: {error}; {remedy('faces')}") from None
        return table[labels] if replaced is None else labels

    def relabel_packed(self, number: int, chunk: Box, table: Labels) -> bytes | None:
        """The same as a chunk of compressed_segmentation, without unpacking it; None if it is not kept so."""
        from teravox.kernels.packed_labels import number_of_blocks, relabel_packed

        if f"{_PACKED}{number}" not in self._bundle:
            return None
        words = self._bundle.get(f"{_PACKED}{number}")
        return relabel_packed(words, number_of_blocks(chunk.size, BLOCK), table).tobytes()


def _pack(labels: Labels, chunk: Box, number: int) -> tuple[Entry, bytes]:
    import numpy as np

    from teravox.pipeline.layers.codec import encode

    try:
        data = encode(labels, _scale(chunk))
    except OverflowError:
        data = None
    if data is None or len(data) > labels.nbytes:
        return pack_array(f"{_PLAIN}{number}", labels.reshape(-1, order="F"))
    return pack_array(f"{_PACKED}{number}", np.frombuffer(data, np.uint32))


def _scale(chunk: Box) -> Scale:
    """As the codec is told what to do."""
    return Scale(
        key="local",
        size=chunk.size,
        resolution=(1, 1, 1),
        chunk_sizes=(chunk.size,),
        encoding="compressed_segmentation",
        compressed_segmentation_block_size=BLOCK,
    )
