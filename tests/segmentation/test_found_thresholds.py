"""Thresholds that are words: found in all of the image, or of the layer of predictions, that a step cuts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.make import make_layer
from numpy.typing import NDArray
from segmentation.segmenting import run
from skimage.filters import threshold_multiotsu, threshold_otsu

from teravox.cli.main import main
from teravox.pipeline.contrast import fractions
from teravox.pipeline.contrast.thresholds import find_thresholds
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.segmentation.steps import Step
from teravox.tasks.image.contrast.histogram import Histogram
from teravox.tasks.segment import Segment

Array = NDArray[Any]
SIZE = (24, 20, 16)


def two_peaks(data_type: str) -> Array:
    """Dark and bright voxels, none of them 0, in two channels of which the second one is the first turned over."""
    random = np.random.default_rng(3)
    bright = random.random(SIZE) < 0.3
    values = np.clip(random.normal(np.where(bright, 170, 80), 15), 1, 254)
    both = np.stack([values, 255 - values], axis=-1)
    return np.asfortranarray(both / 100 - 0.5 if data_type == "float32" else both.round(), data_type)


def layer(folder: Path, name: str, values: Array) -> str:
    return make_layer(folder / name, values, chunk=(8, 8, 8), resolution=(4, 4, 4))


def count(source: str) -> None:
    """Do what `image contrast histogram` does."""
    job = Histogram(layer=source, coverage=1)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)


def settled(source: str, dest: Path, **steps: Any) -> Segment:
    return Segment(source=source, dest=str(dest), **steps).settled()


def threshold_of(step: Step | None) -> float:
    assert step is not None
    found: float = step.parameters["threshold"]
    return found


def test_the_threshold_step_finds_the_one_of_a_channel(tmp_path: Path) -> None:
    values = two_peaks("uint8")
    source = layer(tmp_path, "em", values)
    count(source)
    for channel in (0, 1):
        job = settled(source, tmp_path / "out", predict=Step("threshold", {"threshold": "otsu", "channel": channel}))
        assert threshold_of(job.predict) == threshold_otsu(values[..., channel]) + 0.5
        assert job.settled() == job
    three = settled(source, tmp_path / "out", predict=Step("threshold", {"threshold": "otsu:3/2"}))
    assert abs(threshold_of(three.predict) - threshold_multiotsu(values[..., 0], 3)[1]) <= 1.5


def test_with_a_background_no_histogram_says_how_far_above_it(tmp_path: Path) -> None:
    source = layer(tmp_path, "em", two_peaks("uint8")[..., :1])
    job = settled(source, tmp_path / "out", predict=Step("threshold", {"threshold": "otsu", "background": 3}))
    with pytest.raises(
        BadUsage, match=r"--predict: the step threshold refuses this: threshold is 'otsu'.*give a number"
    ):
        job.prepare()


def test_fractions_are_counted_when_a_threshold_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = two_peaks("float32")
    values[0, 0, :3, 0] = np.nan, np.inf, 0  # which do not count
    source = layer(tmp_path, "ct", values)
    job = settled(source, tmp_path / "out", predict=Step("particles"))
    ours, theirs = threshold_of(job.predict), threshold_otsu(values[..., 0][np.isfinite(values[..., 0])], 65_536)
    assert abs(ours - theirs) <= 2 * np.ptp(values[..., 1]) / 65_536
    assert job == settled(source, tmp_path / "out", predict=Step("particles"))
    assert main(["image", "threshold", source, "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["thresholds"] == [ours]
    assert find_thresholds(source, 0, 0, 2).counted == values[..., 0].size - 3
    with pytest.raises(BadUsage, match="--levels: counts of float32 are made when they are needed"):
        find_thresholds(source, 0, 0, 2, str(tmp_path / "levels"))


def test_of_many_fractions_some_chunks_stand_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = layer(tmp_path, "ct", two_peaks("float32"))
    whole = find_thresholds(source, 0, 0, 2)
    monkeypatch.setattr(fractions, "MOST", 6 * 8**3)
    some = find_thresholds(source, 0, 0, 2)
    assert some.counted <= 6 * 8**3 < whole.counted
    assert abs(some.thresholds[0] - whole.thresholds[0]) < 0.1
    assert some == find_thresholds(source, 0, 0, 2)


@pytest.mark.parametrize("value", [0.0, 0.25, np.nan])
def test_fractions_that_are_all_alike_have_no_threshold(tmp_path: Path, value: float) -> None:
    source = layer(tmp_path, "flat", np.full((*SIZE, 1), value, np.float32, order="F"))
    number = 1 if value == 0.25 else 0
    with pytest.raises(BadInput, match=f"no threshold can be found in mip 0 of .*: {number} grey values occur"):
        find_thresholds(source, 0, 0, 2)


@pytest.mark.parametrize("data_type", ["uint8", "float32"])
@pytest.mark.parametrize("name", ["h-maxima-watershed", "components", "distance-watershed"])
def test_predictions_that_are_kept_in_a_layer_are_cut_by_their_own_histogram(
    tmp_path: Path, data_type: str, name: str
) -> None:
    image = layer(tmp_path, "em", two_peaks("uint8")[..., :1])
    kept = two_peaks(data_type)
    path = layer(tmp_path, "kept", kept)
    if data_type == "uint8":
        count(path)
    predict = Step("layer", {"path": path, "channels": [1, 0], "scale": 255})
    for channel in (0, 1):
        step = Step(name, {"threshold": "otsu", "boundary_channel": channel})
        found = threshold_of(settled(image, tmp_path / "out", predict=predict, supervoxels=step).supervoxels)
        assert found == find_thresholds(path, 0, 1 - channel, 2).thresholds[0] / 255
        upside = Step("layer", predict.parameters | {"invert": True})
        turned = threshold_of(settled(image, tmp_path / "out", predict=upside, supervoxels=step).supervoxels)
        assert turned == pytest.approx(1 - found)


def test_predictions_that_are_still_to_be_made_have_no_histogram(tmp_path: Path) -> None:
    image = layer(tmp_path, "em", two_peaks("uint8")[..., :1])
    cut = Step("components", {"threshold": "otsu"})
    with pytest.raises(
        BadUsage, match=r"--supervoxels: .* --predict invert makes is not known .* --predict layer:path="
    ):
        settled(image, tmp_path / "out", predict=Step("invert"), supervoxels=cut)
    with pytest.raises(BadUsage, match="--supervoxels: threshold of the step components: expected a grey value, otsu"):
        settled(image, tmp_path / "out", predict=Step("layer"), supervoxels=Step("components", {"threshold": "ots"}))
    four = Step("components", {"threshold": "otsu", "boundary_channel": 4})
    with pytest.raises(BadUsage, match="--supervoxels: there is no channel 4: the prediction has 1"):
        settled(image, tmp_path / "out", predict=Step("layer"), supervoxels=four)


def test_blocks_are_cut_at_the_threshold_that_was_found(tmp_path: Path) -> None:
    values = two_peaks("uint8")[..., :1]
    source = layer(tmp_path, "kept", values)
    count(source)
    found = {}
    for name, threshold in (("word", "otsu"), ("number", (float(threshold_otsu(values)) + 0.5) / 255)):
        job = settled(
            source,
            tmp_path / name,
            predict=Step("layer"),
            supervoxels=Step("components", {"threshold": threshold}),
            agglomerate=(),
            shape=(16, 16, 16),
            halo=(2, 2, 2),
        )
        run(job)
        found[name] = sorted(file.read_bytes() for file in (tmp_path / name).rglob("cores/*"))
    assert found["word"] == found["number"]
