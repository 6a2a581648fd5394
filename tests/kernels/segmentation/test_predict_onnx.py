"""Networks from ONNX files: tiny ones that the tests make, against SciPy."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from segmentation.networks import write_network

from teravox.kernels.segmentation.onnx_file import OnnxFile, describe
from teravox.kernels.segmentation.patches import Patches
from teravox.kernels.segmentation.predict.onnx import predict
from teravox.kernels.segmentation.step_file import StepFile, hash_of

pytest.importorskip("onnx", reason="makes the networks")
pytest.importorskip("onnxruntime", reason="runs the networks")

Floats = NDArray[np.float32]
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

WEIGHTS: Floats = np.random.default_rng(1).uniform(0, 1 / 60, (2, 1, 3, 3, 3)).astype(np.float32)
SMALL: dict[str, Any] = {"patch": (6, 8, 10), "rim": (1, 1, 1), "overlap": (1, 2, 0)}  # Any: parameters


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> StepFile:
    return write_network(tmp_path_factory.mktemp("networks") / "tiny.onnx", WEIGHTS)


def noise(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    image = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    image.flags.writeable = False
    return image


def expected(image: NDArray[np.uint8], weights: Floats = WEIGHTS) -> NDArray[np.float64]:
    shares = image.astype(np.float64) / 255
    return np.stack([ndimage.correlate(shares, kernel[0], mode="mirror") for kernel in weights], axis=-1)


@pytest.mark.parametrize("overlap", [(0, 0, 0), (1, 2, 3), (2, 3, 4)])
def test_patches_give_what_the_whole_gives(network: StepFile, overlap: tuple[int, int, int]) -> None:
    image = noise((13, 17, 25))
    found = predict(image, None, model=network, channels=(1, 0), **SMALL | {"overlap": overlap})
    assert found.shape == (13, 17, 25, 2)
    assert found == pytest.approx(expected(image)[..., ::-1], abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(data=st.data(), corner=st.tuples(*[st.integers(-40, 40)] * 3))
def test_a_block_with_its_margin_gives_what_the_whole_gives(
    network: StepFile, data: st.DataObject, corner: tuple[int, int, int]
) -> None:
    shape = (12, 16, 14)
    image = noise(shape)
    parameters: dict[str, Any] = {"model": network, **SMALL, "rim": (0, 1, 1)}  # of which the first makes seams
    kept = []
    wide = []
    for size, margin in zip(shape, vars(predict)["margin"](**parameters), strict=True):
        low = data.draw(st.integers(0, size - 1))
        high = data.draw(st.integers(low + 1, size))
        wide.append((max(0, low - margin), min(size, high + margin)))
        kept.append((low - wide[-1][0], high - wide[-1][0]))
    block = image[tuple(slice(*ends) for ends in wide)]
    at = (corner[0] + wide[0][0], corner[1] + wide[1][0], corner[2] + wide[2][0])

    found = predict(block, None, **parameters, corner=at, kept=(kept[0], kept[1], kept[2]))

    whole = predict(image, None, **parameters, corner=corner)
    part = tuple(slice(inside[0] + ends[0], inside[1] + ends[0]) for inside, ends in zip(kept, wide, strict=True))
    assert found[tuple(slice(*ends) for ends in kept)].tobytes() == whole[part].tobytes()


@settings(max_examples=30, deadline=None)
@given(corner=st.integers(-99, 99), start=st.integers(0, 30), size=st.integers(1, 30), overlap=st.integers(0, 4))
def test_the_weights_of_patches_sum_to_1(corner: int, start: int, size: int, overlap: int) -> None:
    patches = Patches((1, 1, 12), (0, 0, 2), (0, 0, overlap))
    patches.check()
    result = np.zeros((1, 1, 64, 1), np.float32)
    for place in patches.over(((0, 1), (0, 1), (start, start + size)), (0, 0, corner)):
        patches.add(result, np.ones((1, 1, 8, 1), np.float32), place)
    assert result[0, 0, start : start + size, 0] == pytest.approx(1)


def test_networks_that_drop_a_rim_or_look_at_slices_are_run(tmp_path: Path) -> None:
    image = noise((9, 17, 25))
    valid = write_network(tmp_path / "valid.onnx", WEIGHTS, keeps_size=False)
    assert predict(image, None, model=valid, **SMALL)[..., 0] == pytest.approx(expected(image)[..., 0], abs=1e-5)

    flat = WEIGHTS[:, :, 1] * np.float32(3)
    slices = write_network(tmp_path / "slices.onnx", flat, axes=2)
    found = predict(image, None, model=slices, patch=(3, 8, 10), rim=(0, 1, 1), overlap=(0, 2, 2))
    assert found[..., 0] == pytest.approx(expected(image, flat[:, :, None])[..., 0], abs=1e-5)


def test_only_patches_with_voxels_of_the_mask_are_run(network: StepFile) -> None:
    image = noise((12, 18, 24))
    mask = np.zeros(image.shape, np.bool_)
    mask[3, 4, 5] = True
    found = predict(image, mask, model=network, **SMALL)[..., 0]
    assert found[mask] == pytest.approx(expected(image)[mask, 0])
    assert (found[8:] == 0).all()
    assert (predict(image, mask & False, model=network, **SMALL) == 0).all()


def test_activations_make_shares(network: StepFile) -> None:
    image = noise((6, 8, 10))
    both: dict[str, Any] = {"model": network, "channels": (0, 1), "scale": 0.5, "shift": -60.0}
    logits = np.stack(
        [ndimage.correlate(image * 0.5 - 60, kernel[0], mode="mirror") for kernel in WEIGHTS.astype(np.float64)], -1
    )
    powers = np.exp(logits)
    assert predict(image, None, **both, activation="sigmoid", **SMALL) == pytest.approx(powers / (1 + powers), abs=1e-4)
    shares = predict(image, None, **both, activation="softmax", **SMALL)
    assert shares == pytest.approx(powers / powers.sum(axis=-1, keepdims=True), abs=1e-4)
    with pytest.raises(ValueError, match="not from 0 to 1: set activation to sigmoid or softmax"):
        predict(image, None, **both, **SMALL)


def test_a_model_file_that_is_replaced_is_loaded_anew(tmp_path: Path) -> None:
    image = noise((6, 8, 10))
    once = predict(image, None, model=write_network(tmp_path / "model.onnx", WEIGHTS), **SMALL)
    again = write_network(tmp_path / "model.onnx", np.concatenate([WEIGHTS[1:], WEIGHTS]))
    assert not np.array_equal(predict(image, None, model=again, **SMALL), once)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"rim": (3, 1, 1)}, "a patch of 6 voxels along z with a rim of 3 keeps 0, of which at most half may overlap"),
        ({"overlap": (1, 4, 0)}, "along y with a rim of 1 keeps 6, of which at most half may overlap, not 4"),
        ({"channels": (0, 2)}, r"the network gives 2 channels \(numbered from 0\), not \[0, 2\]"),
        ({"channels": ()}, "channels is empty: name those of the network that are wanted"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(network: StepFile, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        predict(noise((6, 8, 10)), None, model=network, **SMALL | parameters)


def test_networks_of_other_shapes_are_refused(tmp_path: Path) -> None:
    model = write_network(tmp_path / "wide.onnx", np.ones((1, 1, 5, 5, 5), np.float32))
    with pytest.raises(ValueError, match=r"the network makes \(4, 6, 8\) of a patch of \(6, 8, 10\)"):
        predict(noise((6, 8, 10)), None, model=model, **SMALL | {"rim": (0, 0, 0)})
    line = write_network(tmp_path / "line.onnx", np.ones((1, 1, 3), np.float32), axes=1)
    with pytest.raises(ValueError, match="takes 1 inputs, the first one of 3 axes"):
        predict(noise((6, 8, 10)), None, model=line, **SMALL)


def test_without_onnxruntime_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    copy = write_network(tmp_path / "another.onnx", WEIGHTS[::-1].copy())
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'teravox\[onnx\]'"):
        predict(noise((6, 8, 10)), None, model=copy, **SMALL)


def test_what_it_says_of_itself(network: StepFile) -> None:
    facts = vars(predict)
    given: dict[str, Any] = {"model": network, "channels": (0, 2, 1)}
    assert facts["channels"](**given) == 3
    assert facts["memory"](**given) == 12
    assert facts["fixed"](**given) == 1_000_000_000 + 3 * len(network.read())
    assert facts["margin"](**given, patch=(8, 16, 16), rim=(2, 3, 4)) == (5, 12, 11)


def test_a_file_says_how_many_channels_its_network_gives(network: StepFile, tmp_path: Path) -> None:
    assert describe(network) == OnnxFile(len(network.read()), None)
    told = write_network(tmp_path / "told.onnx", WEIGHTS, channels=2)
    assert describe(told).channels == 2
    with pytest.raises(ValueError, match=r"the network gives 2 channels \(numbered from 0\), not \[2\]"):
        predict(noise((0, 0, 0)), None, model=told, **SMALL, channels=(2,))


def test_weights_that_lie_in_another_file_are_refused(tmp_path: Path) -> None:
    network = write_network(tmp_path / "apart.onnx", WEIGHTS, apart="apart.onnx.data")
    assert (tmp_path / "apart.onnx.data").exists()
    with pytest.raises(ValueError, match=r"apart.onnx lacks its weights, which lie in 'apart.onnx.data' beside it"):
        describe(network)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_refused_in_a_sentence_or_read(network: StepFile, data: st.DataObject) -> None:
    whole = bytearray(network.read())
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(ValueError):  # the sentence that it is none
        assert describe(StepFile("x.onnx", hash_of(cut), lambda: cut)).size == len(cut)
