"""Reads scales that are stored in shards, through CloudVolume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.tally import TALLY

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_sharded(url: str, box: Box, mip: int, *, fill_missing: bool) -> NDArray[Any]:  # of the layer's data type
    """The voxels of a box of a sharded scale; missing chunks raise BadInput, or read as 0."""
    import numpy as np
    from cloudvolume import CloudVolume
    from cloudvolume.exceptions import EmptyVolumeException

    from teravox.pipeline.storage.endpoints import cloud_path

    volume = CloudVolume(cloud_path(url), mip=mip, fill_missing=fill_missing, bounded=True, progress=False, cache=False)
    where = tuple(slice(a, b) for a, b in zip(box.min, box.max, strict=True))
    try:
        voxels = np.asfortranarray(volume[where])
    except EmptyVolumeException as error:
        raise BadInput(
            f"a chunk of mip {mip} of layer {url} is missing within {box} ({error}); "
            "pass --fill-missing to read it as background, or run again what should have written it"
        ) from None
    TALLY.read(voxels.nbytes)  # what came over the line is not told; this is what it became
    return voxels
