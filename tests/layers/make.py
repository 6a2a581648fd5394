"""Small layers for tests, written by CloudVolume, so that readers and writers are not of one making."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.layers.layer import Layer

Array = NDArray[Any]  # of whatever a test asks for
Vec = tuple[int, int, int]


def voxels(size: Vec, dtype: str, *, channels: int = 1, labels: int | None = None, seed: int = 0) -> Array:
    """Random voxels; with `labels`, in blocks of few labels with background between them."""
    random = np.random.default_rng(seed)
    shape = (*size, channels)
    if labels is not None:
        blocks = random.integers(0, labels, [-(-n // 3) for n in size] + [channels])
        large = np.kron(blocks, np.ones((3, 3, 3, 1), int))
        return np.asfortranarray(large[: size[0], : size[1], : size[2]].astype(dtype))
    if dtype == "float32":
        return np.asfortranarray(random.normal(0, 100, shape).astype(dtype))
    info = np.iinfo(dtype)
    return np.asfortranarray(random.integers(info.min, info.max, shape, dtype=dtype, endpoint=True))


def make_layer(
    folder: Path,
    array: Array,
    *,
    chunk: Vec = (8, 8, 8),
    offset: Vec = (0, 0, 0),
    type: str = "image",
    encoding: str = "raw",
    compress: str | bool = "gzip",
    resolution: tuple[float, float, float] = (4, 4, 40),
) -> str:
    """A layer of one mip that holds an array of x, y, z and channel; its path."""
    from cloudvolume import CloudVolume

    info = CloudVolume.create_new_info(
        num_channels=array.shape[3],
        layer_type=type,
        data_type=array.dtype.name,
        encoding=encoding,
        resolution=resolution,
        voxel_offset=offset,
        volume_size=array.shape[:3],
        chunk_size=chunk,
    )
    volume = CloudVolume(f"file://{folder}", info=info, compress=compress, bounded=True)
    volume.commit_info()
    volume[:, :, :] = array
    return str(folder)


def read_layer(path: str, mip: int) -> Array:
    """All voxels of a mip, as CloudVolume reads them."""
    from cloudvolume import CloudVolume

    volume = CloudVolume(f"file://{path}", mip=mip, fill_missing=False)
    if volume.volume_size.rectVolume() == 1:  # of a single voxel it gives one channel only
        return Layer.open(path).read(Layer.open(path).bounds(mip), mip)
    return np.asfortranarray(volume[:, :, :])


def files_of(path: str) -> dict[str, bytes]:
    """Every file below a folder and what is in it."""
    root = Path(path)
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def chunks(path: str) -> dict[str, bytes]:
    """The files of a layer that tasks write."""
    return {key: data for key, data in files_of(path).items() if "/" in key}
