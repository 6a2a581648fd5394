"""What a person sees: `teravox view` in a real browser, compared with the voxels."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.make import Array, Vec, make_layer
from real_volumes import real
from view.browser import Page
from view.showing import Seen, viewed

from teravox.cli.main import main
from teravox.pipeline.layers.layer import Layer

pytestmark = pytest.mark.server

SIZE: Vec = (512, 384, 48)


def cells(dtype: str, *, seed: int = 3) -> Array:
    """Blocks of a dozen values, with a background at one end."""
    values = np.random.default_rng(seed).integers(1, 13, (8, 6, 3)) * 18
    voxels = np.kron(values, np.ones((64, 64, 16), int))
    voxels[-64:] = 0
    return np.asfortranarray(voxels[..., None].astype(dtype))


def make_pyramid(folder: Path, voxels: Array, *, without_full_size: bool = True, **options: Any) -> Layer:
    """A layer with smaller mips; without its largest, only what was downsampled can be seen."""
    path = make_layer(folder, voxels, chunk=(64, 64, 16), resolution=(8, 8, 8), **options)
    assert main(["image", "downsample", path, "--num-mips", "2"]) == 0
    layer = Layer.open(path)
    if without_full_size:
        shutil.rmtree(folder / layer.scale(0).key)
    assert all(file.suffix == ".gz" for file in (folder / layer.scale(1).key).iterdir())
    return layer


def middle_plane(layer: Layer, mip: int) -> Array:
    """The plane of a mip that the client shows at first."""
    plane: Array = layer.read(layer.bounds(mip), mip)[:, :, layer.bounds(mip).size[2] // 2, 0]
    return plane


def likeness_to_gray(seen: Seen, plane: Array, step: float = 2) -> float:
    """How far a picture and a plane go together, from 0 to 1; of a picture of one color it is 0."""
    shown = seen.xy_plane(plane, step).mean(axis=2)
    if shown.std() == 0:
        return 0.0
    return float(np.corrcoef(shown.ravel(), plane.ravel().astype(float))[0, 1])


def likeness_to_labels(seen: Seen, plane: Array, step: float = 2) -> float:
    """How much of the colors' variance is between labels and not within them, from 0 to 1; of one color it is 0."""
    shown = seen.xy_plane(plane, step)
    total = shown.var(axis=(0, 1)).sum()
    within = sum(shown[plane == label].var(axis=0).sum() * np.mean(plane == label) for label in np.unique(plane))
    return float(1 - within / total) if total > 1 else 0.0


def test_the_downsampled_volume_is_shown(page: Page, tmp_path: Path) -> None:
    layer = make_pyramid(tmp_path / "em", cells("uint8"))
    with viewed(page, "image", tmp_path, layer.url) as seen:
        assert likeness_to_gray(seen, middle_plane(layer, 1)) > 0.95
        assert likeness_to_gray(seen, middle_plane(layer, 1)[::-1]) < 0.5


@pytest.mark.parametrize("encoding", ["compressed_segmentation", "crackle"])
def test_a_downsampled_segmentation_is_shown(page: Page, tmp_path: Path, encoding: str) -> None:
    layer = make_pyramid(tmp_path / "seg", cells("uint64"), type="segmentation", encoding=encoding)
    with viewed(page, f"segmentation_{encoding}", tmp_path, layer.url) as seen:
        assert likeness_to_labels(seen, middle_plane(layer, 1)) > 0.9
        assert likeness_to_labels(seen, middle_plane(layer, 1)[::-1]) < 0.5


def test_layers_of_zeros_fail_the_same_checks(page: Page, tmp_path: Path) -> None:
    full = middle_plane(make_pyramid(tmp_path / "full", cells("uint64"), type="segmentation"), 1)
    zeros = np.zeros((*SIZE, 1), "uint64", order="F")
    labels = make_pyramid(tmp_path / "seg", zeros, type="segmentation", encoding="crackle")
    image = make_pyramid(tmp_path / "em", zeros.astype("uint8"))
    with viewed(page, "zeros", tmp_path, image.url, labels.url) as seen:
        assert likeness_to_labels(seen, full) < 0.5
        assert abs(likeness_to_gray(seen, full)) < 0.5


def test_a_segmentation_lies_over_its_image(page: Page, tmp_path: Path) -> None:
    image = make_pyramid(tmp_path / "em", cells("uint8"))
    labels = make_pyramid(tmp_path / "seg", cells("uint32", seed=4), type="segmentation", encoding="crackle")
    with viewed(page, "image_and_segmentation", tmp_path, labels.url, image.url) as seen:
        both = middle_plane(image, 1).astype(int) * 1000 + middle_plane(labels, 1)
        assert likeness_to_labels(seen, both) > 0.8
        assert likeness_to_labels(seen, np.roll(both, 16, (0, 1))) < 0.5
        assert np.ptp(seen.xy_plane(both, 2), axis=2).max() > 50  # it is colored


def add_models(layer: Layer, label: int) -> None:
    """A mesh and a skeleton of a label: a box, and a line through it, in nanometres; gzipped as all files here."""
    size = np.array(SIZE) * 8
    corners = np.array([[x, y, z] for x in (0.1, 0.9) for y in (0.1, 0.9) for z in (0.1, 0.9)]) * size
    faces = np.array(
        [
            [0, 1, 3],
            [0, 3, 2],
            [4, 7, 5],
            [4, 6, 7],
            [0, 5, 1],
            [0, 4, 5],
            [2, 3, 7],
            [2, 7, 6],
            [0, 2, 6],
            [0, 6, 4],
            [1, 5, 7],
            [1, 7, 3],
        ]
    )
    mesh = np.uint32(len(corners)).tobytes() + corners.astype("<f4").tobytes() + faces.astype("<u4").tobytes()
    line = np.array([[0.0, 0.5, 0.5], [1.0, 0.5, 0.5]]) * size
    counts = np.array([2, 1], "<u4").tobytes()
    skeleton = counts + line.astype("<f4").tobytes() + np.array([0, 1], "<u4").tobytes()
    skeletons = {"@type": "neuroglancer_skeletons", "vertex_attributes": []}
    objects = {
        "mesh/info": json.dumps({"@type": "neuroglancer_legacy_mesh"}).encode(),
        f"mesh/{label}:0": json.dumps({"fragments": [f"{label}:0:box"]}).encode(),
        f"mesh/{label}:0:box": mesh,
        "skeletons/info": json.dumps(skeletons).encode(),
        f"skeletons/{label}": skeleton,
    }
    layer.store.put_many(objects, compress="gzip")
    layer.write_info(layer.raw | {"mesh": "mesh", "skeletons": "skeletons"})
    assert gzip.decompress(Path(layer.url.removeprefix("file://"), f"mesh/{label}:0:box.gz").read_bytes()) == mesh


def test_meshes_and_skeletons_are_shown_with_the_segments(page: Page, tmp_path: Path) -> None:
    layer = make_pyramid(tmp_path / "seg", cells("uint64"), type="segmentation", encoding="crackle")
    label = int(middle_plane(layer, 1)[0, 0])
    words = (layer.url, "--segments", str(label))
    with viewed(page, "no_models", tmp_path, *words) as seen:
        without = seen.space()
    add_models(layer, label)
    with viewed(page, "models", tmp_path, *words) as seen:
        changed = np.abs(seen.space() - without).max(axis=2) > 30
        assert changed.mean() > 0.05


def test_a_real_volume_is_shown(page: Page, tmp_path: Path) -> None:
    arrays = np.load(real("fib25_medulla/train_z000-130.npz"))
    gray, labels = (np.asfortranarray(arrays[name].transpose(2, 1, 0)[..., None]) for name in ("gray", "overseg"))
    em = make_pyramid(tmp_path / "em", gray, without_full_size=False)
    seg = make_pyramid(tmp_path / "seg", labels, type="segmentation", encoding="crackle", without_full_size=False)
    with viewed(page, "fib25", tmp_path, em.url, seg.url) as seen:
        plane = middle_plane(seg, 0)
        assert likeness_to_labels(seen, plane, 1) > 0.55  # the image shines through
        assert likeness_to_labels(seen, plane[::-1], 1) < 0.4
