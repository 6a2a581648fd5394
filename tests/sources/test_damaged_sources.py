"""Files that are cut off or hold something else, and libraries that are not installed: one sentence each, no half voxels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from layers.make import voxels
from sources import write

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources.open import open_source
from teravox.pipeline.sources.source import Choice
from teravox.pipeline.sources.volume import Volume

FILES = [
    "npy", "npy_fortran", "hdf5", "nifti", "nifti_gz", "nrrd", "nrrd_gz", "tiff", "tiff_packed", "tiff_tiled",
    "tiff_strips", "tiff_big_endian", "tiff_imagej", "crackle", "crackle_gz",
]  # fmt: skip


def read_all(path: Path) -> None:
    with Volume(open_source(str(path), Choice()), axes=None) as volume:
        volume.source.check()
        found = np.empty((*volume.size, volume.channels), volume.dtype, order="F")
        volume.read(Box((0, 0, 0), volume.size), found, 4)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 10, 200, 0.6])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, name: str, keep: float) -> None:
    path = (write.GREY | write.LABELS)[name](tmp_path, voxels((45, 33, 20), "uint16", labels=3000)[..., 0])
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep != 0.6 else len(data) * keep)])
    with pytest.raises(BadInput, match=path.name.replace(".", r"\.")):
        read_all(path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_something_else_is_named(tmp_path: Path, name: str) -> None:
    path = (write.GREY | write.LABELS)[name](tmp_path, voxels((9, 8, 7), "uint16", labels=9)[..., 0])
    path.write_bytes(b"%PDF-1.7 something else " * 50)
    with pytest.raises(BadInput, match=path.name.replace(".", r"\.")):
        read_all(path)


@pytest.mark.parametrize(("name", "chunk"), [("zarr2", "0.0.0"), ("zarr3", "c/0/0/0"), ("n5", "0/0/0")])
def test_a_chunk_that_is_cut_off_is_an_error(tmp_path: Path, name: str, chunk: str) -> None:
    path = write.GREY[name](tmp_path, voxels((45, 33, 20), "uint16")[..., 0])
    data = (path / chunk).read_bytes()
    (path / chunk).write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match=f"{path} cannot be read"):
        read_all(path)


def test_metadata_that_are_no_json_are_named(tmp_path: Path) -> None:
    path = write.n5(tmp_path, voxels((9, 8, 7), "uint16")[..., 0])
    (path / "attributes.json").write_text("{half")
    with pytest.raises(BadInput, match=r"attributes\.json is not JSON"):
        read_all(path)


def test_objects_in_a_npy_file_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[[{}]]], dtype=object), allow_pickle=True)
    with pytest.raises(BadInput, match="holds Python objects and no numbers"):
        read_all(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "module"), [("nifti", "nibabel"), ("nifti_gz", "nibabel"), ("nrrd_gz", "indexed_gzip")]
)
def test_a_library_that_is_absent_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    path = write.GREY[name](tmp_path, voxels((9, 8, 7), "uint16")[..., 0])
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BadUsage, match=r"to read .*, install what it needs: pip install 'teravox\[medical\]'"):
        read_all(path)
