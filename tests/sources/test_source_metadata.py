"""What files say of their axes, the size of their voxels and their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import h5py  # type: ignore[import-untyped]  # it has no types
import nibabel
import numpy as np
import pytest
import tensorstore
import tifffile
import zarr
from layers.make import make_layer, voxels
from sources import write

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources.lengths import nanometres
from teravox.pipeline.sources.open import open_source
from teravox.pipeline.sources.source import Choice
from teravox.pipeline.sources.volume import Volume, rounded_offset

ARRAY = voxels((12, 10, 8), "uint16")[..., 0]


def look(path: Path, **choice: Any) -> tuple[Any, Any, Any]:
    """Size, resolution and offset in x, y, z."""
    with Volume(open_source(str(path), Choice(**choice))) as volume:
        return volume.size, volume.known_resolution, rounded_offset(volume)


def read(path: Path, *, axes: str | None = None, time: int | None = None, **choice: Any) -> Any:
    """The voxels, as x, y, z and channel."""
    with Volume(open_source(str(path), Choice(**choice)), axes=axes, time=time) as volume:
        found = np.empty((*volume.size, volume.channels), volume.dtype, order="F")
        volume.read(Box((0, 0, 0), volume.size), found, 2)
    return found


def ome_zarr(folder: Path, version: Literal[2, 3], *, inside: str = "") -> Path:
    """Two levels with axes t, c, z, y, x, of 4 x 4 x 40 nm at 80, 40, 400 nm."""
    data = np.stack([np.stack([ARRAY.T, ARRAY.T + 1]), np.stack([ARRAY.T + 2, ARRAY.T + 3])])
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    datasets = []
    for level, step in enumerate((1, 2)):
        shrunk = data[:, :, :, ::step, ::step]
        array = zarr.create_array(
            folder / "i.zarr" / inside / str(level), data=shrunk, chunks=(1, 1, 4, 4, 4), zarr_format=version
        )
        assert array.shape == shrunk.shape
        scale = [1, 1, 0.04, 0.004 * step, 0.004 * step]
        shift = [0, 0, 0.4, 0.04, 0.08]
        datasets.append(
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": scale},
                    {"type": "translation", "translation": shift},
                ],
            }
        )
    said = {"multiscales": [{"axes": axes, "datasets": datasets, "version": "0.4"}]}
    group = folder / "i.zarr" / inside
    if version == 2:
        (group / ".zgroup").write_text('{"zarr_format": 2}')
        (group / ".zattrs").write_text(json.dumps(said))
    else:
        text = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": said}}
        (group / "zarr.json").write_text(json.dumps(text))
    return folder / "i.zarr"


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr_says_levels_axes_sizes_and_places(tmp_path: Path, version: Literal[2, 3]) -> None:
    path = ome_zarr(tmp_path, version)
    with pytest.raises(BadUsage, match="has 2 time points: say --time 0 to --time 1"):
        look(path)
    for level, step in ((0, 1), (1, 2)):
        with Volume(open_source(str(path), Choice(mip=level)), time=1) as volume:
            assert volume.known_resolution == pytest.approx((4 * step, 4 * step, 40))
            assert rounded_offset(volume) == (20 // step, 10 // step, 10)
            assert volume.channels == 2
        expected = np.stack([ARRAY + 2, ARRAY + 3], axis=3)[::step, ::step]
        assert np.array_equal(read(path, time=1, mip=level), expected)
    with pytest.raises(BadUsage, match=r"--mip: .* has levels 0 to 1, got 2"):
        look(path, mip=2)


def test_an_image_within_a_group_is_named_by_its_path(tmp_path: Path) -> None:
    path = ome_zarr(tmp_path, 2, inside="series/a")
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(BadUsage, match=r"--dataset: .* is a group, .* It has series/a/0, series/a/1"):
        look(path)
    with pytest.raises(BadUsage, match=r"--dataset: there is no array or image b in .*It has series/a/0, series/a/1"):
        look(path, dataset="b")
    assert np.array_equal(read(path, time=0, dataset="series/a")[..., 0], ARRAY)
    assert np.array_equal(read(path, time=0, dataset="series/a/1", axes="tczyx")[..., 0], ARRAY[::2, ::2])
    with pytest.raises(BadUsage, match="--dataset: expected a name within SOURCE"):
        look(path, dataset="../i.zarr/series/a")


def test_a_level_outside_of_its_group_is_refused(tmp_path: Path) -> None:
    path = ome_zarr(tmp_path, 2)
    said = json.loads((path / ".zattrs").read_text())
    said["multiscales"][0]["datasets"][0]["path"] = "../elsewhere"
    (path / ".zattrs").write_text(json.dumps(said))
    with pytest.raises(BadInput, match="which is not within it"):
        look(path)
    (path / ".zattrs").write_text('{"multiscales": [{"datasets": [{}]}]}')
    with pytest.raises(BadInput, match="its `multiscales` cannot be understood"):
        look(path)


def test_zarr_3_and_xarray_name_axes(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=ARRAY, dimension_names=["x", "y", "z"], zarr_format=3)
    assert np.array_equal(read(tmp_path / "a.zarr")[..., 0], ARRAY)
    array = zarr.create_array(tmp_path / "b.zarr", data=ARRAY, zarr_format=2)
    array.attrs["_ARRAY_DIMENSIONS"] = ["x", "y", "z"]
    assert np.array_equal(read(tmp_path / "b.zarr")[..., 0], ARRAY)


@pytest.mark.parametrize(
    ("group", "data", "resolution"),
    [
        ({"pixelResolution": {"dimensions": [4, 4, 40], "unit": "nm"}}, {}, (4, 4, 40)),
        ({"pixelResolution": {"dimensions": [4, 4, 40], "unit": "nm"}}, {"downsamplingFactors": [2, 2, 1]}, (8, 8, 40)),
        ({}, {"pixelResolution": {"dimensions": [0.004, 0.004, 0.04], "unit": "um"}}, (4, 4, 40)),
        ({"resolution": [4, 4, 40], "units": ["nm", "nm", "nm"]}, {}, (4, 4, 40)),
        ({"resolution": [4, 4, 40]}, {}, (None, None, None)),
    ],
)
def test_n5_says_its_resolution(tmp_path: Path, group: Any, data: Any, resolution: Any) -> None:
    path = write.n5(tmp_path, ARRAY, "s0")
    (path / "attributes.json").write_text(json.dumps({"n5": "2.5.0", **group}))
    inside = json.loads((path / "s0/attributes.json").read_text())
    (path / "s0/attributes.json").write_text(json.dumps(inside | data))
    size, found, _ = look(path)
    assert size == ARRAY.shape
    assert found == pytest.approx(resolution) if resolution[0] else found == resolution
    assert np.array_equal(read(path)[..., 0], ARRAY)


def test_zarr_chunks_that_are_missing_are_background(tmp_path: Path) -> None:
    path = write.zarr2(tmp_path, ARRAY)
    (path / "0.0.0").unlink()
    expected = ARRAY.copy()
    expected[:16, :8, :3] = 0
    assert np.array_equal(read(path)[..., 0], expected)


def test_hdf5_data_sets_are_listed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in ("volumes/raw", "volumes/labels"):
            file[name] = ARRAY.T
    with pytest.raises(BadUsage, match=r"choose one\. It has volumes/labels \(8x10x12 uint16\), volumes/raw \(8x10x12"):
        look(tmp_path / "a.h5")
    with pytest.raises(BadUsage, match=r"--dataset: there is no raw in .*a.h5. It has volumes/labels"):
        look(tmp_path / "a.h5", dataset="raw")
    assert np.array_equal(read(tmp_path / "a.h5", dataset="volumes/raw")[..., 0], ARRAY)


def test_hdf5_says_axes_and_size_of_voxels(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["raw"] = ARRAY
        file["raw"].attrs["axistags"] = json.dumps({"axes": [{"key": "x"}, {"key": "y"}, {"key": "z"}]})
        file["raw"].attrs["element_size_um"] = (0.04, 0.005, 0.004)  # of z, y, x
    assert look(tmp_path / "a.h5")[1] == pytest.approx((4, 5, 40))
    assert np.array_equal(read(tmp_path / "a.h5")[..., 0], ARRAY)


def test_nifti_says_size_and_place(tmp_path: Path) -> None:
    affine = np.array([[4, 0, 0, 8], [0, 5, 0, -10], [0, 0, 40, 120], [0, 0, 0, 1.0]])
    write.save_nifti(tmp_path / "a.nii", ARRAY, affine, "micron")
    assert look(tmp_path / "a.nii") == (ARRAY.shape, pytest.approx((4000, 5000, 40000)), (2, -2, 3))


def test_nifti_without_units_or_turned_says_no_more_than_it_knows(tmp_path: Path) -> None:
    turned = np.array([[0, 4.0, 0, 8], [4, 0, 0, 8], [0, 0, 40, 80], [0, 0, 0, 1]])
    write.save_nifti(tmp_path / "a.nii", ARRAY, turned)
    assert look(tmp_path / "a.nii") == (ARRAY.shape, (None, None, None), (0, 0, 0))
    write.save_nifti(tmp_path / "a.nii", ARRAY, turned, "mm")
    assert look(tmp_path / "a.nii") == (ARRAY.shape, pytest.approx((4e6, 4e6, 4e7)), (0, 0, 0))


@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_nifti_values_are_scaled_and_times_are_chosen(tmp_path: Path, ending: str) -> None:
    values = np.stack([ARRAY, ARRAY + 5], axis=3).astype(np.float32) / 2 - 7
    path = tmp_path / f"a.{ending}"
    write.save_nifti(path, values, np.eye(4), slope=(0.5, -7))
    image: Any = nibabel.load(path)
    found = read(path, time=1)
    assert found.dtype == np.float32
    assert np.allclose(found[..., 0], np.asarray(image.dataobj)[..., 1])


def test_nifti_colours_are_channels(tmp_path: Path) -> None:
    colours = np.zeros((5, 4, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["G"] = 7
    write.save_nifti(tmp_path / "a.nii", colours, np.eye(4))
    found = read(tmp_path / "a.nii")
    assert found.shape == (5, 4, 3, 3)
    assert [found[..., channel].max() for channel in range(3)] == [0, 7, 0]


@pytest.mark.parametrize(("unit", "nm"), [("nm", 1), ("µm", 1000)])
def test_nrrd_says_size_and_place(tmp_path: Path, unit: str, nm: float) -> None:
    header = {
        "space dimension": 3, "space directions": np.diag([4.0, 5.0, 40.0]), "space units": ["nm"] * 3,
        "space origin": np.array([8.0, -10.0, 80.0]),
    }  # fmt: skip
    path = tmp_path / "a.nrrd"
    write.save_nrrd(path, ARRAY, header)
    path.write_bytes(path.read_bytes().replace(b'"nm"', f'"{unit}"'.encode()))  # the library writes ASCII only
    assert look(path) == (ARRAY.shape, pytest.approx((4 * nm, 5 * nm, 40 * nm)), (2, -2, 2))
    assert np.array_equal(read(path)[..., 0], ARRAY)


def test_nrrd_kinds_tell_of_channels(tmp_path: Path) -> None:
    colours = np.stack([ARRAY, ARRAY + 1, ARRAY + 2])
    kinds = {"kinds": ["RGB-color", "space", "space", "space"], "encoding": "raw"}
    write.save_nrrd(tmp_path / "c.nrrd", colours, kinds)
    assert np.array_equal(read(tmp_path / "c.nrrd"), colours.transpose(1, 2, 3, 0))


def test_nrrd_data_are_only_looked_for_below_the_header(tmp_path: Path) -> None:
    path = write.nhdr(tmp_path, ARRAY)
    text = path.read_text()
    for name in ("../a.raw", "/etc/passwd", "b/../../a.raw"):
        path.write_text(text.replace("a.raw", name))
        with pytest.raises(BadInput, match="only looked for in its own folder and below"):
            look(path)
    path.write_text(text.replace("a.raw", "LIST"))
    with pytest.raises(BadInput, match="keeps its data in several files"):
        look(path)


def test_nrrd_spacings_have_units(tmp_path: Path) -> None:
    header = {"spacings": [4, 5, 40], "units": ["nm"] * 3, "encoding": "raw"}
    write.save_nrrd(tmp_path / "a.nrrd", ARRAY, header)
    assert look(tmp_path / "a.nrrd")[1] == (4, 5, 40)


def test_ome_tiff_says_its_resolution_and_channels(tmp_path: Path) -> None:
    said = {"axes": "ZCYX"}
    said |= {f"PhysicalSize{axis}": size for axis, size in (("X", 4), ("Y", 5), ("Z", 0.04))}  # type: ignore[misc]
    said |= {"PhysicalSizeXUnit": "nm", "PhysicalSizeYUnit": "nm", "PhysicalSizeZUnit": "µm"}
    data = np.stack([ARRAY.T, ARRAY.T + 1], axis=1)
    tifffile.imwrite(tmp_path / "a.ome.tif", data, metadata=said, compression="zlib")
    assert look(tmp_path / "a.ome.tif")[1] == pytest.approx((4, 5, 40))
    assert np.array_equal(read(tmp_path / "a.ome.tif"), data.transpose(3, 2, 0, 1))


def test_imagej_says_its_resolution(tmp_path: Path) -> None:
    said = {"spacing": 0.04, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "a.tif", ARRAY.T, imagej=True, metadata=said, resolution=(250, 200))
    assert look(tmp_path / "a.tif")[1] == pytest.approx((4, 5, 40))


def test_tiff_levels_and_images_are_chosen(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", bigtiff=True) as file:
        for number in range(2):
            options: Any = {"tile": (16, 16), "compression": "zlib", "metadata": {"axes": "ZYX"}}
            file.write(ARRAY.T + number, subifds=1, **options)
            file.write(ARRAY.T[:, ::2, ::2] + number, subfiletype=1, **options)
    with pytest.raises(
        BadUsage, match=r"--dataset: .* has several images: choose one\. It has 0 \(8x10x12 uint16\), 1"
    ):
        look(tmp_path / "a.ome.tif")
    assert np.array_equal(read(tmp_path / "a.ome.tif", dataset="1")[..., 0], ARRAY + 1)
    assert np.array_equal(read(tmp_path / "a.ome.tif", dataset="1", mip=1)[..., 0], ARRAY[::2, ::2] + 1)
    with pytest.raises(BadUsage, match=r"--mip: .* has levels 0 to 1, got 2"):
        look(tmp_path / "a.ome.tif", dataset="1", mip=2)


def test_a_layer_keeps_its_place(tmp_path: Path) -> None:
    array = voxels((12, 10, 8), "uint8", channels=2)
    path = make_layer(tmp_path / "l", array, offset=(-7, 5, 3), resolution=(4.5, 4.5, 40))
    assert look(Path(path)) == ((12, 10, 8), (4.5, 4.5, 40), (-7, 5, 3))
    assert np.array_equal(read(Path(path)), array)
    next(file for file in (tmp_path / "l").rglob("*.gz")).unlink()
    with pytest.raises(BadInput, match="is missing; pass --fill-missing"):
        read(Path(path))
    assert (read(Path(path), fill_missing=True) == 0).sum() > (array == 0).sum()


@pytest.mark.parametrize(
    ("unit", "nm"),
    [
        *[("nm", 1), ("µm", 1e3), ("\u03bcm", 1e3), ("microns", 1e3), ("micrometre", 1e3), ("Millimeters", 1e6)],
        *[("Å", 0.1), ("", None), ("pixel", None), (None, None), ("s", None)],
    ],
)
def test_units_of_length(unit: Any, nm: float | None) -> None:
    assert nanometres(unit) == nm


def test_tensorstore_is_what_reads_blosc(tmp_path: Path) -> None:
    codecs = [
        {"name": "bytes", "configuration": {"endian": "big"}},
        {"name": "blosc", "configuration": {"cname": "zstd"}},
    ]
    spec = {
        "driver": "zarr3", "kvstore": {"driver": "file", "path": f"{tmp_path / 'a.zarr'}/"}, "create": True,
        "metadata": {"shape": [8, 10, 12], "data_type": "uint16", "codecs": codecs},
    }  # fmt: skip
    tensorstore.open(spec).result().write(ARRAY.T).result()
    assert np.array_equal(read(tmp_path / "a.zarr")[..., 0], ARRAY)
