"""X-ray tomography taken apart: class maps and their components, beads and fibres one by one; and layers of affinities."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import cc3d
import numpy as np
import pytest
from layers.make import make_layer, read_layer
from numpy.typing import NDArray
from real_volumes import real
from segmentation.whole import RESOLUTION, Array, are_same, draw_tissue, image_layer, pairs_of, segment, step, stitch

from teravox.kernels.synthetic.beads import draw_beads
from teravox.kernels.synthetic.fibres import draw_fibres
from teravox.pipeline.box import Vec

NONE: Vec = (0, 0, 0)


def real_array(file: str, name: str | None = None) -> Array:
    """A volume of real data as x, y, z."""
    path = real(file)
    if name is None:
        return np.asarray(np.load(path)).T
    with np.load(path) as arrays:
        return np.asarray(arrays[name]).T


def classes_of(source: str, dest: Path, predict: dict[str, Any], **cut: Any) -> str:  # parameters of any type
    """A class map: 1 where it is likelier than not what is looked for."""
    return segment(source, dest, predict=predict, output="classes", **cut)


def components_of(classes: str, dest: Path, connectivity: int, **cut: Any) -> NDArray[np.uint64]:
    """The connected pieces of class 1."""
    steps: dict[str, Any] = {
        "predict": step("layer", scale=1, invert=True),
        "supervoxels": step("components", connectivity=connectivity),
        "agglomerate": [step("none")],
    }
    return stitch(segment(classes, dest, **steps, **cut), rule="any", group=(2, 2, 2), consecutive=True)


def count_found(found: Array, truth: Array) -> int:
    """How many bodies of the truth are found: share more than half of what either has with a body of the other."""
    numbers, first = np.unique(truth, return_inverse=True)
    others, second = np.unique(found, return_inverse=True)
    shared = np.zeros((len(numbers), len(others)), np.int64)
    np.add.at(shared, (first.ravel(), second.ravel()), 1)
    whole = shared.sum(1, keepdims=True) + shared.sum(0, keepdims=True) - shared
    kept = (shared / whole)[numbers != 0][:, others != 0]
    return int((kept > 0.5).any(1).sum())


@pytest.mark.parametrize(
    ("file", "name", "part", "dark", "connectivity", "count"),
    [
        ("qbi_bone_ct/bone_7H3A_B1.npz", "mask", np.s_[100:228, 60:188, 200:264], True, 6, 278),
        (
            "xbrain_vessels/segment_vessel_test_data_340x340x125.npz",
            "vmap",
            np.s_[20:116, 100:228, 100:228],
            False,
            26,
            14,
        ),
    ],
    ids=["lacunae in bone", "vessels in a brain"],
)
def test_objects_are_counted_as_in_the_whole(
    file: str,
    name: str,
    part: tuple[slice, slice, slice],
    dark: bool,
    connectivity: Literal[6, 26],
    count: int,
    tmp_path: Path,
) -> None:
    volume = np.asfortranarray(real_array(file, name)[part])
    cut: dict[str, Any] = {"shape": [64, 64, 64], "halo": [2, 2, 2]}
    source = image_layer(tmp_path / "source", volume, (11, -3, 200), (32, 32, 32))
    looked_for = step("threshold", threshold=0.5, bright=not dark, objects=False)
    classes = classes_of(source, tmp_path / "classes", looked_for, **cut)
    np.testing.assert_array_equal(read_layer(classes, 0)[..., 0], (volume == 0) == dark)
    found = components_of(classes, tmp_path / "found", connectivity, **cut)
    wanted = cc3d.connected_components(np.asarray((volume == 0) == dark), connectivity=connectivity)
    assert are_same(found, wanted)
    assert found.max() == count  # by cc3d, on the whole


def test_fibres_of_a_polymer_are_the_same_for_any_blocks(tmp_path: Path) -> None:
    volume = np.asfortranarray(real_array("polymer_ct/polymer3d_128.npy")[:96, :96, :64])
    source = image_layer(tmp_path / "source", volume, chunk=(32, 32, 32))
    steps: dict[str, Any] = {
        "predict": step("tubeness", sigma=2, contrast=0.04),
        "supervoxels": step("components", connectivity=26),
        "agglomerate": [step("none")],
    }
    found = []
    for name, shape, halo in (("blocks", [32, 32, 32], [4, 4, 4]), ("whole", [96, 96, 64], [0, 0, 0])):
        layer = segment(source, tmp_path / name, shape=shape, halo=halo, **steps)
        found.append(stitch(layer, rule="any", group=(2, 2, 2), consecutive=True))
    assert are_same(*found)
    assert found[0].max() > 5
    fibre = found[0] > 0
    assert 0.05 < fibre.mean() < 0.4
    assert volume[fibre].mean() > volume[~fibre].mean() + 40


def test_beads_of_a_pack_are_told_apart(tmp_path: Path) -> None:
    size: Vec = (96, 80, 64)
    drawn = draw_beads(size, NONE, size, 1, radius=12)
    layer = segment(
        image_layer(tmp_path / "source", drawn.image, (5, -9, 0)),
        tmp_path / "found",
        shape=[48, 48, 32],
        halo=[16, 16, 16],
        predict=step("threshold", threshold=131, sigma=1),
        supervoxels=step("distance-watershed", sigma_seeds=1, alpha=0.1, min_size=50, highest=0.5),
        agglomerate=[step("none")],
    )
    found = stitch(layer, group=(2, 2, 2))
    beads = int((np.unique(drawn.truth, return_counts=True)[1][1:] > 200).sum())  # without slivers at the sides
    assert count_found(found, drawn.truth) > 0.95 * beads > 60


def test_fibres_of_a_bundle_are_told_apart(tmp_path: Path) -> None:
    size: Vec = (96, 90, 64)
    drawn = draw_fibres(size, NONE, size, 1)
    layer = segment(
        image_layer(tmp_path / "source", drawn.image, (5, -9, 0)),
        tmp_path / "found",
        shape=[48, 48, 32],
        halo=[8, 8, 8],
        predict=step("tubeness", sigma=3, contrast=0.02),
        supervoxels=step("components"),
        agglomerate=[step("none")],
    )
    found = stitch(layer, rule="any", group=(2, 2, 2), min_size=200)
    fibres = len(np.unique(drawn.truth)) - 1
    assert len(np.unique(found)) - 1 == fibres > 8
    assert count_found(found, drawn.truth) == fibres


def test_objects_can_be_found_by_another_programs_affinities(tmp_path: Path) -> None:
    size: Vec = (48, 40, 36)
    truth = draw_tissue(size, 2, 30).truth
    ways = [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (-3, 0, 0), (0, -3, 0), (0, 0, -3)]  # z, y, x
    affinities = np.stack([same_label(truth, (x, y, z)) for z, y, x in ways], axis=-1).astype(np.uint8) * 255
    source = make_layer(
        tmp_path / "affinities", np.asfortranarray(affinities), chunk=(8, 8, 8), offset=(1, 2, 3), resolution=RESOLUTION
    )
    layer = segment(
        source,
        tmp_path / "found",
        shape=[24, 24, 24],
        halo=[4, 4, 4],
        predict=step("layer"),
        supervoxels=step("mutex-watershed", offsets=[list(way) for way in ways]),
        agglomerate=[step("none")],
    )
    found = stitch(layer, rule="any", group=(2, 2, 2))
    assert are_same(found, truth)
    assert pairs_of(found, truth).shape[1] > 10


def same_label(truth: NDArray[np.uint32], way: Vec) -> NDArray[np.bool_]:
    """Whether a voxel has the label of the one that lies so many voxels further on; where that is outside, it has."""
    same = np.ones(truth.shape, np.bool_)
    here = tuple(slice(max(0, -n), truth.shape[axis] - max(0, n)) for axis, n in enumerate(way))
    there = tuple(slice(max(0, n), truth.shape[axis] - max(0, -n)) for axis, n in enumerate(way))
    same[here] = truth[here] == truth[there]
    return same
