"""Opens an image by what lies at its path or URL."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.sources.source import Choice, Source
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.urls import GRAPHENE, normalize

PATTERN = frozenset("*?[")


class Format(NamedTuple):
    """What opens it, and which of the options of `Choice` mean something to it."""

    name: str
    open: Callable[[str, Choice], Source]
    takes: frozenset[str] = frozenset()


def open_source(url: str, choice: Choice) -> Source:
    """The image at a file:// path, a pattern of paths, or a URL; BadUsage where there is none, or a choice means nothing."""
    url = normalize(url)
    _refuse_leaving(choice.dataset)
    format = _format_at(url, choice)
    usual = Choice()
    for word in choice.__struct_fields__:
        if getattr(choice, word) != getattr(usual, word) and word not in format.takes:
            option = "--" + word.replace("_", "-")
            raise BadUsage(f"{option}: means nothing for {format.name}, which {_plain(url)} is; leave it out")
    return format.open(_plain(url), choice)


def is_pattern(url: str) -> bool:
    """Whether a path stands for those that it matches: /data/em_*.png."""
    path = url.removeprefix("file://")
    return url.startswith("file://") and bool(PATTERN & set(path)) and not os.path.exists(path)  # noqa: PTH110 - plain


def is_folder(url: str) -> bool:
    """Whether a source is a whole folder, in which nothing else must be written."""
    return not url.startswith("file://") or os.path.isdir(_plain(url))  # noqa: PTH112 - plain


def follow(url: str) -> str:
    """The place that is meant in the end, where links of a file system lead elsewhere."""
    return f"file://{os.path.realpath(_plain(url))}" if url.startswith("file://") else url


def _format_at(url: str, choice: Choice) -> Format:
    path = _plain(url)
    if url.startswith(GRAPHENE):
        return _GRAPHENE
    if is_pattern(url):
        return _SLICES
    if url.startswith("file://") and os.path.isfile(path):  # noqa: PTH113 - plain
        for ending, format in _BY_ENDING.items():
            if path.lower().endswith(ending):
                return format
        known = ", ".join(_BY_ENDING)
        raise BadUsage(f"{path}: its ending says no format that can be read; there are {known}, and folders")
    if url.startswith("file://") and not os.path.exists(path):  # noqa: PTH110 - plain
        raise BadUsage(f"there is nothing at {path}; check SOURCE")
    from teravox.pipeline.sources.zarr import is_zarr

    store = open_store(url)
    if is_zarr(store) or (choice.dataset and is_zarr(open_store(f"{url}/{choice.dataset.strip('/')}"))):
        return _ZARR
    if store.exists(["info"])["info"]:
        return _PRECOMPUTED
    if url.startswith("file://"):
        return _SLICES
    raise BadUsage(
        f"{url} is no Precomputed, Zarr or N5 data set; other formats are read from file systems: copy it there first"
    )


def _refuse_leaving(dataset: str | None) -> None:
    if dataset is not None and (not dataset or "\0" in dataset or ".." in dataset.split("/")):
        raise BadUsage(f"--dataset: expected a name within SOURCE, got {dataset!r}")


def _plain(url: str) -> str:
    return url.removeprefix("file://")


def _npy(path: str, _: Choice) -> Source:
    from teravox.pipeline.sources.npy import open_npy

    return open_npy(path)


def _hdf5(path: str, choice: Choice) -> Source:
    from teravox.pipeline.sources.hdf5 import open_hdf5

    return open_hdf5(path, choice)


def _nifti(path: str, _: Choice) -> Source:
    from teravox.pipeline.sources.nifti import open_nifti

    return open_nifti(path)


def _nrrd(path: str, _: Choice) -> Source:
    from teravox.pipeline.sources.nrrd import open_nrrd

    return open_nrrd(path)


def _tiff(path: str, choice: Choice) -> Source:
    from teravox.pipeline.sources.tiff import open_tiff

    return open_tiff(path, choice)


def _crackle(path: str, _: Choice) -> Source:
    from teravox.pipeline.sources.crackle_file import open_crackle

    return open_crackle(path)


def _slices(path: str, choice: Choice) -> Source:
    from teravox.pipeline.sources.slices import open_slices

    return open_slices(path, choice)


def _zarr(path: str, choice: Choice) -> Source:
    from teravox.pipeline.sources.zarr import open_zarr

    return open_zarr(f"file://{path}" if path.startswith("/") else path, choice)


def _precomputed(path: str, choice: Choice) -> Source:
    from teravox.pipeline.sources.precomputed import open_precomputed

    return open_precomputed(path, choice)


def _graphene(url: str, choice: Choice) -> Source:
    from teravox.pipeline.sources.graphene import open_graphene

    return open_graphene(url, choice)


_SLICES = Format("a stack of slices", _slices, frozenset({"missing_slices"}))
_ZARR = Format("Zarr or N5", _zarr, frozenset({"dataset", "mip"}))
_PRECOMPUTED = Format("a Precomputed layer", _precomputed, frozenset({"mip", "fill_missing"}))
_GRAPHENE = Format("a Graphene volume", _graphene, frozenset({"mip", "fill_missing", "timestamp"}))
_NIFTI_FILE = Format("a NIfTI file", _nifti)
_NRRD_FILE = Format("an NRRD file", _nrrd)
_HDF5_FILE = Format("an HDF5 file", _hdf5, frozenset({"dataset"}))
_TIFF_FILE = Format("a TIFF file", _tiff, frozenset({"dataset", "mip"}))
_CRACKLE_FILE = Format("a crackle file", _crackle)

_BY_ENDING = {
    ".npy": Format("a .npy file", _npy),
    ".h5": _HDF5_FILE,
    ".hdf5": _HDF5_FILE,
    ".nii": _NIFTI_FILE,
    ".nii.gz": _NIFTI_FILE,
    ".nrrd": _NRRD_FILE,
    ".nhdr": _NRRD_FILE,
    ".tif": _TIFF_FILE,
    ".tiff": _TIFF_FILE,
    ".btf": _TIFF_FILE,
    ".tf8": _TIFF_FILE,
    ".png": _SLICES,
    ".jpg": _SLICES,
    ".jpeg": _SLICES,
    ".ckl": _CRACKLE_FILE,
    ".ckl.gz": _CRACKLE_FILE,
}
