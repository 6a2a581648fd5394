"""`create` on real volumes, and from a bucket of a real S3 server."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from layers.make import read_layer, voxels
from real_volumes import real
from sources import write

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.storage.open import open_store
from teravox.tasks.create import Create


def create(job: Create) -> None:
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    job.finish()


def test_plant_tissue_becomes_an_image_and_a_segmentation(tmp_path: Path) -> None:
    import h5py  # type: ignore[import-untyped]  # it has no types

    src = real("plantseg/1135_mini.h5")
    with pytest.raises(BadUsage, match=r"has several data sets: choose one\. It has label \(.*raw \("):
        Create(str(src), str(tmp_path / "raw")).prepare()
    for name in ("raw", "label"):
        options = {} if name == "raw" else {"type": "segmentation", "data_type": "uint32"}
        create(Create(str(src), str(tmp_path / name), dataset=name, **options))  # type: ignore[arg-type]  # choices are strings
        with h5py.File(src) as file:
            assert np.array_equal(read_layer(str(tmp_path / name), 0)[..., 0], file[name][:].T)
            z, y, x = file[name].attrs["element_size_um"]
        resolution = json.loads((tmp_path / name / "info").read_text())["scales"][0]["resolution"]
        assert resolution == pytest.approx([x * 1000, y * 1000, z * 1000])


def test_cortex_labels_are_read_from_crackle(tmp_path: Path) -> None:
    import crackle

    src = real("pinky40/connectomics.npy.ckl.gz")
    create(Create(str(src), str(tmp_path / "out"), resolution=(16, 16, 40), sharded=True))
    expected = crackle.decompress(gzip.decompress(src.read_bytes()))
    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], expected)


def test_slices_with_gaps_are_filled_when_asked(tmp_path: Path) -> None:
    import tifffile

    src = real("bead_pack_slices")
    with pytest.raises(BadInput, match=r"127 of 130 slices are missing: 1, 3-128"):
        create(Create(str(src), str(tmp_path / "out"), resolution=(1000, 1000, 1000)))
    create(Create(str(src), str(tmp_path / "out"), resolution=(1000, 1000, 1000), missing_slices="repeat"))
    found = read_layer(str(tmp_path / "out"), 0)[..., 0]
    assert found.shape == (200, 200, 130)
    for z, name in ((0, "000"), (1, "000"), (2, "002"), (128, "002"), (129, "129")):
        assert np.array_equal(found[:, :, z], tifffile.imread(src / f"bead_pack_z{name}.tif").T)


@pytest.mark.server
@pytest.mark.parametrize("name", ["zarr2", "zarr3", "n5", "precomputed"])
def test_a_bucket_is_read(tmp_path: Path, layer_in_bucket: str, name: str) -> None:
    array = voxels((40, 33, 20), "uint16")[..., 0]
    folder = write.GREY[name](tmp_path, array)
    store = open_store(layer_in_bucket)
    for file in folder.rglob("*"):
        if file.is_file():
            key = str(file.relative_to(folder))
            packed = key.endswith(".gz")
            store.put_stored(key.removesuffix(".gz"), file.read_bytes(), "gzip" if packed else None)

    create(Create(layer_in_bucket, str(tmp_path / "out"), resolution=(4, 4, 40), chunk_size=(16, 16, 8)))

    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], array)
    with pytest.raises(
        BadUsage, match="is no Precomputed, Zarr or N5 data set; other formats are read from file systems"
    ):
        Create(f"{layer_in_bucket}-none", str(tmp_path / "none")).prepare()
