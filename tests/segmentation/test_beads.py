"""Packs of beads, block by block and as a whole: as many beads, and the same ones; thresholds of the whole image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from real_volumes import real
from scipy import ndimage
from segmentation.whole import Array, Labels, are_same, image_layer, segment, step, stitch
from skimage.feature import peak_local_max
from skimage.filters import threshold_multiotsu, threshold_otsu
from skimage.segmentation import watershed

from teravox.cli.main import main
from teravox.kernels.synthetic.beads import draw_beads
from teravox.kernels.synthetic.drawn import Drawn
from teravox.pipeline.box import Vec
from teravox.pipeline.layers.layer import Layer

SIZE: Vec = (96, 88, 72)
RADIUS = 9.0
STEPS: dict[str, Any] = {
    "predict": step("particles", threshold=131.5),
    "supervoxels": step("h-maxima-watershed"),
    "agglomerate": [step("none")],
}


@pytest.fixture(scope="module")
def pack() -> Drawn:
    """Noise and rings as in the slices of the bead pack of Ushizima and others: 173 and 90, sd 17."""
    return draw_beads(SIZE, (0, 0, 0), SIZE, 3, radius=RADIUS, rings=12.0, noise=17.0)


@pytest.fixture(scope="module")
def source(pack: Drawn, tmp_path_factory: pytest.TempPathFactory) -> str:
    return image_layer(tmp_path_factory.mktemp("ct") / "ct", pack.image, (5, -9, 0), (16, 16, 16))


def beads_of(source: str, folder: Path, shape: Vec, halo: Vec) -> Labels:
    layer = segment(source, folder, shape=list(shape), halo=list(halo), **STEPS)
    return stitch(layer, group=(2, 2, 2), min_overlap=0)


@pytest.fixture(scope="module")
def whole(source: str, tmp_path_factory: pytest.TempPathFactory) -> Labels:
    return beads_of(source, tmp_path_factory.mktemp("whole"), SIZE, (0, 0, 0))


def f_score(found: Array, truth: Array) -> float:
    """Of beads and true beads, those that share more than half of what either has: the harmonic mean of both shares."""
    (ones, first), (others, second) = (np.unique(one, return_inverse=True) for one in (found, truth))
    keys = first.ravel() * len(others) + second.ravel()
    shared = np.bincount(keys, minlength=len(ones) * len(others)).reshape(len(ones), len(others))
    either = shared.sum(1, keepdims=True) + shared.sum(0) - shared
    matched = np.count_nonzero((2 * shared > either)[1:, 1:])
    return float(2 * matched / (len(ones) + len(others) - 2))


def count_beads(labels: Array) -> int:
    """Those of which a volume has more than a tenth: at its sides are slivers of others."""
    return int((np.unique(labels, return_counts=True)[1][1:] > 0.1 * 4 / 3 * np.pi * RADIUS**3).sum())


def test_beads_are_found_as_well_as_by_scikit_image(pack: Drawn, whole: Labels) -> None:
    smooth = ndimage.median_filter(pack.image, 3)
    inside = smooth > threshold_otsu(pack.image)
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(inside), 1)
    places = peak_local_max(depth, min_distance=5, labels=inside.astype(int), exclude_border=False)
    seeds = np.zeros(SIZE, np.int32)
    seeds[tuple(places.T)] = np.arange(1, len(places) + 1)
    theirs = watershed(-depth, seeds, mask=inside)
    true, number = count_beads(pack.truth), count_beads(whole)

    assert true > 150
    assert abs(number - true) <= 0.02 * true
    ours_f, theirs_f = f_score(whole, pack.truth), f_score(theirs, pack.truth)
    assert ours_f > 0.9
    assert ours_f >= theirs_f - 0.02


@pytest.mark.parametrize(
    ("shape", "halo"),
    [((48, 48, 48), (20, 20, 20)), ((96, 32, 48), (18, 20, 19))],
    ids=["cubes", "columns"],
)
def test_blocks_have_the_beads_of_the_whole(source: str, whole: Labels, shape: Vec, halo: Vec, tmp_path: Path) -> None:
    found = beads_of(source, tmp_path / "blocks", shape, halo)

    assert len(np.unique(found)) == len(np.unique(whole)) > 100
    assert are_same(found, whole)


def test_grains_of_a_real_packing_are_the_same_in_blocks(tmp_path: Path) -> None:
    with np.load(real("qbi_bone_ct/grains_501x501x300.npz")) as arrays:
        grains = np.asfortranarray(arrays["mask"][:176, :160, :128].astype(np.uint8))
    layer = image_layer(tmp_path / "grains", grains, chunk=(32, 32, 32))
    steps: dict[str, Any] = STEPS | {"predict": step("particles", threshold=0.5, denoise="none")}
    found = []
    for name, shape, halo in (("whole", [176, 160, 128], [0, 0, 0]), ("blocks", [96, 96, 64], [48, 48, 48])):
        made = segment(layer, tmp_path / name, shape=shape, halo=halo, **steps)
        found.append(stitch(made, group=(2, 2, 2), min_overlap=0))

    pieces = int(ndimage.label(grains)[1])
    assert len(np.unique(found[0])) - 1 == len(np.unique(found[1])) - 1 > pieces > 50  # most are joined by faces
    assert np.count_nonzero(found[0]) == np.count_nonzero(grains)


def run(*words: str) -> int:
    return main([*words])


def queued_threshold(queue: Path, option: str = "predict") -> float:
    """What the task in a queue has as its threshold."""
    (message,) = {file.read_text() for file in queue.rglob("*") if file.is_file() and '"segment"' in file.read_text()}
    job = json.loads(message)["job"]
    found: float = (job["steps"] if option == "steps" else job)["predict"]["parameters"]["threshold"]
    return found


def test_a_threshold_of_the_whole_image_is_found_before_tasks_are_made(
    source: str, pack: Drawn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("segment", source, str(tmp_path / "out"), "--supervoxels", "h-maxima-watershed", "--agglomerate", "none")
    levels = Path(source) / "levels"
    assert not levels.exists()
    assert run(*words, "--predict", "particles", "--queue", str(tmp_path / "none")) == 1
    assert f"Make them with: teravox image contrast histogram file://{source} --mip 0" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run("plan", " ".join([*words, "--predict", "particles"])) == 0  # for which no threshold is needed
    assert run("image", "contrast", "histogram", source, "--coverage", "1", "--quiet") == 0

    steps = tmp_path / "steps.toml"
    steps.write_text('[predict]\nname = "particles"\nthreshold = "otsu:3/2"\n[supervoxels]\nname = "components"\n')
    assert run(*words, "--predict", "particles:denoise=none", "--queue", str(tmp_path / "two"), "--quiet") == 0
    assert run(*words, "--steps", str(steps), "--queue", str(tmp_path / "three"), "--quiet") == 0
    assert queued_threshold(tmp_path / "two") == threshold_otsu(pack.image) + 0.5
    assert 100 < queued_threshold(tmp_path / "three", "steps") < 170

    capsys.readouterr()
    assert run("image", "threshold", source, "--classes", "3", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert np.abs(np.subtract(said["thresholds"], threshold_multiotsu(pack.image, 3) + 0.5)).max() <= 1
    assert said["counted"] == pack.image.size
    assert sum(said["shares"]) == pytest.approx(1)
    assert said["shares"][2] == np.mean(pack.image > said["thresholds"][1])
    assert run("image", "threshold", source) == 0
    assert f"class 2 of 2: from {threshold_otsu(pack.image) + 0.5:g} on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        ("ots", "expected a grey value, otsu, or otsu:CLASSES/WHICH such as otsu:3/2, got 'ots'"),
        ("otsu:3/3", "expected 2 to 9 classes, between which there is one threshold less, got 'otsu:3/3'"),
    ],
)
def test_other_words_are_refused(
    source: str, threshold: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("segment", source, str(tmp_path / "out"), "--predict", f"particles:threshold={threshold}") == 2
    assert f"--predict: threshold of the step particles: {said}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_image_of_one_value_has_no_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat: NDArray[np.uint8] = np.full((16, 16, 4), 7, np.uint8, order="F")
    layer = image_layer(tmp_path / "flat", flat)
    assert Layer.open(layer).info.num_channels == 1
    assert run("image", "contrast", "histogram", layer, "--quiet") == 0
    assert run("image", "threshold", layer) == 1
    assert "1 grey values occur, which cannot be cut into 2 classes" in capsys.readouterr().err
    assert run("image", "threshold", layer, "--channel", "1") == 2
    assert "has 1 channels, counted from 0, and no channel 1" in capsys.readouterr().err
