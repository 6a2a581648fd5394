"""Writes arrays in other programs' formats, by the libraries that those use."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no types
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # x, y, z; numbers
Write = Callable[[Path, Array], Path]


def npy(folder: Path, array: Array) -> Path:
    np.save(folder / "a.npy", np.ascontiguousarray(array.T))
    return folder / "a.npy"


def npy_fortran(folder: Path, array: Array) -> Path:
    np.save(folder / "f.npy", np.asfortranarray(array))
    return folder / "f.npy"


def hdf5(folder: Path, array: Array) -> Path:
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("volumes/raw", data=array.T, chunks=(3, 5, 7), compression="gzip")
        file.create_dataset("table", data=np.arange(9))
    return folder / "a.h5"


def hdf5_plain(folder: Path, array: Array) -> Path:
    with h5py.File(folder / "plain.hdf5", "w") as file:
        file.create_dataset("raw", data=array.T)
    return folder / "plain.hdf5"


def save_nifti(
    path: Path, array: Array, affine: Array, unit: str = "unknown", slope: tuple[float, float] | None = None
) -> None:
    """With a slope and an intercept, values are stored as int32."""
    import nibabel

    nib: Any = nibabel  # half of it has types
    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units(unit)
    if slope is not None:
        image.set_data_dtype(np.int32)
        image.header.set_slope_inter(*slope)
    nib.save(image, path)


def nifti(folder: Path, array: Array) -> Path:
    save_nifti(folder / "a.nii", array, np.diag([4.0, 4.0, 40.0, 1.0]))
    return folder / "a.nii"


def nifti_gz(folder: Path, array: Array) -> Path:
    plain = nifti(folder, array)
    packed = folder / "a.nii.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    return packed


def save_nrrd(path: Path, array: Array, header: dict[str, Any], **options: Any) -> None:
    import nrrd  # type: ignore[import-untyped]  # it has no types

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it uses utcnow
        nrrd.write(str(path), array, header, index_order="F", **options)


def nrrd(folder: Path, array: Array, *, encoding: str = "raw", detached: bool = False) -> Path:
    path = folder / ("a.nhdr" if detached else "a.nrrd")
    save_nrrd(path, array, {"encoding": encoding}, detached_header=detached)
    return path


def nrrd_gz(folder: Path, array: Array) -> Path:
    return nrrd(folder, array, encoding="gzip")


def nhdr(folder: Path, array: Array) -> Path:
    return nrrd(folder, array, detached=True)


def nhdr_gz(folder: Path, array: Array) -> Path:
    return nrrd(folder, array, encoding="gzip", detached=True)


def tiff(folder: Path, array: Array, **options: Any) -> Path:
    import tifffile

    tifffile.imwrite(folder / "a.tif", array.T, photometric="minisblack", **options)
    return folder / "a.tif"


def tiff_packed(folder: Path, array: Array) -> Path:
    return tiff(folder, array, compression="zlib", predictor=True)


def tiff_tiled(folder: Path, array: Array) -> Path:
    return tiff(folder, array, tile=(16, 16), compression="lzw")


def tiff_strips(folder: Path, array: Array) -> Path:
    return tiff(folder, array, rowsperstrip=5, compression="zstd", bigtiff=True)


def tiff_big_endian(folder: Path, array: Array) -> Path:
    return tiff(folder, array, byteorder=">")


def tiff_big_endian_packed(folder: Path, array: Array) -> Path:
    return tiff(folder, array, byteorder=">", compression="zlib", tile=(16, 32))


def tiff_imagej(folder: Path, array: Array) -> Path:
    return tiff(folder, array, imagej=True, metadata={"axes": "ZYX"})


def tiff_ome(folder: Path, array: Array) -> Path:
    return tiff(folder, array, ome=True, metadata={"axes": "ZYX"}, compression="zlib")


def slices(folder: Path, array: Array, ending: str = "png", *, first: int = 8, **options: Any) -> Path:
    """A folder of slices, of which the tenth comes after the ninth only in natural order."""
    import imagecodecs
    import tifffile

    inside = folder / ending
    inside.mkdir()
    for number, plane in enumerate(np.ascontiguousarray(array.T), first):
        file = inside / f"em_{number}.{ending}"
        if ending == "png":
            file.write_bytes(imagecodecs.png_encode(plane))
        else:
            tifffile.imwrite(file, plane, **options)
    return inside


def slices_tiff(folder: Path, array: Array) -> Path:
    return slices(folder, array, "tif")


def slices_tiff_tiled(folder: Path, array: Array) -> Path:
    return slices(folder, array, "tiff", tile=(16, 16), compression="zlib")


def pattern(folder: Path, array: Array) -> Path:
    return slices(folder, array) / "em_*.png"


def zarr2(folder: Path, array: Array) -> Path:
    import zarr

    data = zarr.open_array(
        folder / "v2.zarr", mode="w", shape=array.T.shape, chunks=(3, 8, 16), dtype=array.dtype, zarr_format=2
    )
    data[:] = array.T
    return folder / "v2.zarr"


def zarr3(folder: Path, array: Array) -> Path:
    import zarr

    data = zarr.create_array(
        folder / "v3.zarr", shape=array.T.shape, chunks=(2, 8, 8), shards=(4, 16, 16), dtype=array.dtype, zarr_format=3
    )
    data[:] = array.T
    return folder / "v3.zarr"


def n5(folder: Path, array: Array, inside: str = "") -> Path:
    import tensorstore

    spec = {
        "driver": "n5",
        "kvstore": {"driver": "file", "path": f"{folder / 'a.n5' / inside}/"},
        "metadata": {
            "dataType": array.dtype.name,
            "dimensions": list(array.shape),
            "blockSize": [7, 8, 9],
            "compression": {"type": "gzip"},
        },
        "create": True,
    }
    tensorstore.open(spec).result().write(array).result()
    return folder / "a.n5"


def crackle(folder: Path, array: Array) -> Path:
    import crackle

    crackle.save(np.asfortranarray(array), str(folder / "a.ckl"))
    return folder / "a.ckl"


def crackle_gz(folder: Path, array: Array) -> Path:
    packed = folder / "a.ckl.gz"
    packed.write_bytes(gzip.compress(crackle(folder, array).read_bytes()))
    return packed


def precomputed(folder: Path, array: Array) -> Path:
    from layers.make import make_layer

    return Path(make_layer(folder / "layer", np.asfortranarray(array[..., np.newaxis]), offset=(0, 0, 0)))


GREY: dict[str, Write] = {
    one.__name__: one
    for one in (
        npy, npy_fortran, hdf5, hdf5_plain, nifti, nifti_gz, nrrd, nrrd_gz, nhdr, nhdr_gz, tiff, tiff_packed,
        tiff_tiled, tiff_strips, tiff_big_endian, tiff_big_endian_packed, tiff_imagej, tiff_ome, slices, slices_tiff,
        slices_tiff_tiled, pattern, zarr2, zarr3, n5, precomputed,
    )
}  # fmt: skip
LABELS: dict[str, Write] = {one.__name__: one for one in (crackle, crackle_gz, npy, hdf5, zarr2, n5)}
