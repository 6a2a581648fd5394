"""What a block leaves: its labels, what it shows to its neighbours, and the sizes of its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.box import Box
from teravox.pipeline.bundle import Bundle, pack_bundle, read_bundle
from teravox.pipeline.errors import BadInput
from teravox.pipeline.segmentation.plan_file import REMEDY
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint32]  # of a box: x, y, z in Fortran order

CORES, FACES, SIZES = "cores", "faces", "sizes"
CORE = "labels"  # the array of a core's bundle


class Sizes(NamedTuple):
    """Voxels of each label of a block, by label - 1."""

    core: NDArray[np.uint32]
    read: NDArray[np.uint32]  # with the halo


class Preserved(NamedTuple):
    """The labels of a block that stand for bodies which keep their ids."""

    locals: NDArray[np.uint32]  # ascending
    ids: NDArray[np.uint64]


def block_key(folder: str, what: str, index: int) -> str:
    return f"{folder}/{what}/{index}"


def pack_labels(labels: Labels) -> NDArray[np.uint8]:
    """Labels of a box as crackle."""
    import numpy as np

    from teravox.pipeline.layers.codecs.crackle import encode_crackle

    return np.frombuffer(encode_crackle(labels[..., np.newaxis]), np.uint8)


def unpack_labels(bundle: Bundle, name: str, box: Box, place: str) -> Labels:
    """The labels of a box; BadInput where they are those of another one."""
    import numpy as np

    from teravox.pipeline.layers.codecs.crackle import decode_crackle

    data = bundle.get(name).tobytes()
    try:
        return decode_crackle(data, (*box.size, 1), np.dtype(np.uint32))[..., 0]
    except ValueError as error:
        raise BadInput(f"{place} cannot be read: {error}; {REMEDY}") from None


def pack_sizes(sizes: Sizes, preserved: Preserved) -> bytes:
    arrays: dict[str, NDArray[Any]] = {
        "core": sizes.core,
        "read": sizes.read,
        "preserved_locals": preserved.locals,
        "preserved_ids": preserved.ids,
    }
    return pack_bundle({}, arrays)


def read_sizes(store: Store, folder: str, index: int) -> Sizes:
    bundle = read_bundle(store, block_key(folder, SIZES, index), REMEDY)
    return Sizes(bundle.get("core"), bundle.get("read"))


def read_preserved(store: Store, folder: str, index: int) -> Preserved:
    bundle = read_bundle(store, block_key(folder, SIZES, index), REMEDY)
    return Preserved(bundle.get("preserved_locals"), bundle.get("preserved_ids"))
