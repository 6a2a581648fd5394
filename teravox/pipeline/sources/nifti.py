"""`.nii` and `.nii.gz` files."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput
from teravox.pipeline.sources.extras import load
from teravox.pipeline.sources.flat import FlatSource
from teravox.pipeline.sources.lengths import times
from teravox.pipeline.sources.source import Known, Source
from teravox.pipeline.storage.errno_sentences import explain

if TYPE_CHECKING:
    from teravox.pipeline.sources.scaled import ScaledSource

UNITS = ("meter", "mm", "micron")
CLOSE = 1e-4  # of a voxel: the sides of voxels that count as those of the axes


def open_nifti(path: str) -> Source:
    """A NIfTI file: x, y, z, then time and channels."""
    import numpy as np

    nibabel = load("nibabel", f"NIfTI files such as {path}")
    try:
        image = nibabel.load(path)
        header = image.header
        shape = tuple(int(n) for n in header.get_data_shape())
        dtype = np.dtype(header.get_data_dtype()).newbyteorder(header.endianness)
        begin = int(image.dataobj.offset)
    except OSError as error:
        raise explain(error, "read", path) from error
    except (
        nibabel.filebasedimages.ImageFileError,
        nibabel.spatialimages.HeaderDataError,
        ValueError,
        EOFError,
        zlib.error,
    ) as error:
        raise BadInput(f"{path} is no NIfTI file that can be read: {error}") from None
    axes = "xyztc"[: len(shape)]
    steps, origin = _geometry(image)
    data = image.file_map["image"].filename
    if dtype.names is not None:  # colours, which lie closest together
        dtype, axes, shape = dtype[0], "c" + axes, (len(dtype.names), *shape)
        steps, origin = (None, *steps), (None, *origin)
    known = Known(steps[: len(shape)], origin[: len(shape)])
    source = FlatSource(
        data, shape, dtype, begin=begin, order="F", axes=axes, axes_are_said=True, known=known,
        gzip_from=0 if data.lower().endswith(".gz") else None,
    )  # fmt: skip
    return _scaled(source, float(image.dataobj.slope), float(image.dataobj.inter))


def _scaled(source: FlatSource, slope: float, inter: float) -> FlatSource | ScaledSource:
    if slope == 1 and inter == 0:
        return source
    from teravox.pipeline.sources.scaled import ScaledSource

    return ScaledSource(source, slope, inter)


def _geometry(
    image: Any,
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:  # Any: nibabel's own classes differ by format
    """Nanometres of the steps and of the origin; an origin only where the axes of voxels are those of space."""
    import numpy as np

    header = image.header
    unit = header.get_xyzt_units()[0] if hasattr(header, "get_xyzt_units") else "unknown"
    zooms = [float(zoom) for zoom in header.get_zooms()[:3]]
    steps: list[float | None] = [times(zoom, unit) if unit in UNITS else None for zoom in zooms]
    affine = np.asarray(image.affine, float)
    straight = np.allclose(affine[:3, :3], np.diag((zooms + [1.0] * 3)[:3]), atol=CLOSE * min(zooms, default=1.0))
    origin: list[float | None] = [None] * len(steps)
    if straight:
        origin = [None if step is None else affine[axis, 3] / zooms[axis] * step for axis, step in enumerate(steps)]
    rest: list[float | None] = [None] * 2
    return tuple(steps + rest), tuple(origin + rest)
