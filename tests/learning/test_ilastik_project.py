"""Projects of ilastik: what they say, how their forests are asked, and how wrong ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pytest
from learning.ilastik_files import FILTERS, Split, leaf, tags, write_project
from scipy.ndimage import correlate1d

from teravox.kernels.learning.features import compute
from teravox.kernels.learning.ilastik.model import model_of_project
from teravox.kernels.learning.ilastik.project import Project, read_lane_labels, read_project
from teravox.kernels.learning.model import model_from_bytes, model_to_bytes

STUMP = Split(0, 100.0, leaf(1, 0), leaf(0, 1))
EIGENVALUES = (("GaussianSmoothing", 0.3), ("HessianOfGaussianEigenvalues", 1.6))


def read(path: Path, *, with_forest: bool = True) -> Project:
    return read_project(path.read_bytes(), path.name, with_forest=with_forest)


def chosen(project: Project) -> list[str]:
    return [str(one) for one in project.selection]


def test_a_project_tells_its_classes_features_and_image(tmp_path: Path) -> None:
    path = write_project(tmp_path / "a.ilp", trees=[STUMP], classes=("cell", "rest"), axes="zyxc", shape=(9, 8, 7, 1))
    project = read(path)
    assert project.version == "1.4.1b15"
    assert [(one.name, one.color) for one in project.classes] == [("cell", "#c80011"), ("rest", "#c70111")]
    assert chosen(project) == ["gaussian-smoothing:0.3"]
    assert [project.lanes[0].size(letter) for letter in "xyzct"] == [7, 8, 9, 1, 1]
    assert (project.lanes[0].inside, project.lanes[0].path, project.channels) == (None, "raw.npy", 1)


def test_the_stored_forest_predicts_by_features_in_the_order_of_its_columns(tmp_path: Path) -> None:
    gray = np.random.default_rng(1).integers(0, 256, (6, 12, 12)).astype(np.uint8)
    ramp = np.exp(-0.5 * (np.arange(-1, 2) / 0.3) ** 2)
    smooth = gray.astype(np.float64)
    for axis in (0, 1, 2, 0, 1, 2):  # twice: before the filter, and by it
        smooth = correlate1d(smooth, ramp / ramp.sum(), axis=axis, mode="mirror")
    tree = Split(0, 100.0, leaf(0.75, 0.25), Split(0, 160.0, leaf(0, 1), leaf(1, 0)))
    path = write_project(tmp_path / "a.ilp", trees=[tree, STUMP], chosen=EIGENVALUES, columns=4)
    model = model_of_project(path.read_bytes(), "a.ilp")
    assert model.resolution is None
    features = compute(gray, model.selection, model.scale)
    found = model.forest.predict(features.reshape(4, -1))[:, 0].reshape(gray.shape)
    wanted = (np.select([smooth < 100, smooth < 160], [0.75, 0], 1) + (smooth < 100)) / 2
    clear = (np.abs(smooth - 100) > 0.01) & (np.abs(smooth - 160) > 0.01)
    assert clear.mean() > 0.99
    np.testing.assert_allclose(found[clear], wanted[clear], atol=1e-6)


def test_a_model_of_a_project_comes_back_from_a_file_of_ours(tmp_path: Path) -> None:
    path = write_project(tmp_path / "a.ilp", trees=[STUMP, STUMP])
    model = model_from_bytes(path.read_bytes(), "a.ilp")
    assert model_from_bytes(model_to_bytes(model), "a.model") == model
    assert model.record["version of ilastik"] == "1.4.1b15"


@pytest.mark.parametrize(
    ("flat", "shape", "said"),
    [
        (False, (16, 16, 16), ["0.3", "1.6"]),
        (True, (16, 16, 16), ["0.3:flat", "1.6:flat"]),
        ([False, False, False, True, False, False, False], (16, 16, 16), ["0.3", "1.6:flat"]),
        ([True], (16, 16, 16), ["0.3:flat", "1.6:flat"]),  # one flag for all
        (None, (16, 16, 16), ["0.3", "1.6"]),  # as before ilastik 1.3.2
        (None, (1, 16, 16), ["0.3:flat", "1.6:flat"]),
        (False, (1, 16, 16), ["0.3:flat", "1.6:flat"]),
    ],
)
def test_sigmas_act_in_two_dimensions_where_the_project_says_so(
    flat: Any, shape: tuple[int, ...], said: list[str], tmp_path: Path
) -> None:
    path = write_project(tmp_path / "a.ilp", chosen=EIGENVALUES, flat=flat, shape=shape)
    assert [one.partition(":")[2] for one in chosen(read(path))] == said


def test_the_number_of_columns_tells_what_an_old_project_leaves_out(tmp_path: Path) -> None:
    for columns, flat, channels in ((4, False, 1), (3, True, 1), (8, False, 2), (6, True, 2)):
        path = write_project(
            tmp_path / f"{columns}.ilp", trees=[STUMP], chosen=EIGENVALUES, columns=columns, flat=None, shape=None
        )
        project = read(path)
        assert ([one.flat for one in project.selection], project.channels) == ([flat, flat], channels)


def test_sigmas_of_ones_own_are_read(tmp_path: Path) -> None:
    path = write_project(tmp_path / "a.ilp", chosen=(("GaussianSmoothing", 2.5), ("LaplacianOfGaussian", 12.0)))
    assert chosen(read(path)) == ["gaussian-smoothing:2.5", "laplacian-of-gaussian:12"]


def test_a_class_that_the_forest_never_saw_is_never_told(tmp_path: Path) -> None:
    path = write_project(tmp_path / "a.ilp", trees=[STUMP], classes=("a", "b", "c"), known=(3, 1))
    forest = model_of_project(path.read_bytes(), "a.ilp").forest
    voxels = np.array([[50.0, 200.0]], np.float32)
    assert forest.predict(voxels).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_labels_lie_where_the_project_says(tmp_path: Path) -> None:
    block = np.zeros((2, 3, 4, 1), np.uint8)
    block[1, 2, 3] = 2
    path = write_project(tmp_path / "a.ilp", axes="zyx", labels=[((5, 6, 7, 0), block)])
    (found,) = read_lane_labels(path.read_bytes(), read(path), 0)
    assert found.corner == (5, 6, 7)
    np.testing.assert_array_equal(found.classes, block[..., 0])


def test_labels_of_other_axes_are_turned(tmp_path: Path) -> None:
    block = np.arange(24).reshape(2, 1, 3, 4).astype(np.uint8) % 3  # of t, c, x and y
    path = write_project(tmp_path / "a.ilp", axes="tcxy", shape=(5, 1, 9, 9), labels=[((2, 0, 4, 3), block)])
    found = list(read_lane_labels(path.read_bytes(), read(path), 0))
    assert [(one.time, one.corner) for one in found] == [(2, (0, 3, 4)), (3, (0, 3, 4))]
    for number, one in enumerate(found):
        np.testing.assert_array_equal(one.classes[0], block[number, 0].T)


def change(file: Any, path: str, data: Any) -> None:  # h5py has no types
    del file[path]
    file[path] = data


FIRST = "PixelClassification/ClassifierForests/Forest0000"


def link_outside(file: Any) -> None:  # h5py has no types
    del file["FeatureSelections/Scales"]
    file["FeatureSelections/Scales"] = h5py.ExternalLink("other.h5", "/Scales")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda file: change(file, "workflowName", b"Autocontext"), "its workflow is Autocontext, and only Pixel"),
        (lambda file: file.pop("workflowName"), "no project of ilastik"),
        (lambda file: change(file, "ilastikVersion", np.arange(4)), "no project of ilastik"),
        (lambda file: file.pop("FeatureSelections"), "has no features"),
        (lambda file: change(file, "FeatureSelections/SelectionMatrix", np.ones((6, 6), bool)), "6 x 6, for 6 x 7"),
        (lambda file: change(file, "FeatureSelections/SelectionMatrix", np.zeros((6, 7), bool)), "has no features"),
        (lambda file: change(file, "FeatureSelections/FeatureIds", np.array([b"X", *map(str.encode, FILTERS[1:])])), "not known here: X"),
        (lambda file: change(file, "FeatureSelections/ComputeIn2d", np.zeros(3, bool)), "of 3 sigmas"),
        (lambda file: change(file, "FeatureSelections/Scales", np.full(7, np.nan)), "the sigma of gaussian-smoothing is nan"),
        (link_outside, "a link to another place"),
        (lambda file: change(file, "PixelClassification/LabelNames", np.zeros(1)), "has no classes"),
        (lambda file: change(file, "PixelClassification/ClassifierForests/pickled_type", b"csklearn\nSklearnLazyflowClassifier\n."), "its classifier is Sklearn, .* --retrain"),
        (lambda file: change(file, f"{FIRST[:-1]}1/_ext_param/column_count_", np.array([7.0])), "parts of its forest take 1 and 7"),
        (lambda file: change(file, f"{FIRST}/_ext_param/column_count_", np.array([np.inf])), "no number at _ext_param"),
        (lambda file: change(file, f"{FIRST}/_ext_param/labels", np.array([1, 3])), r"the classes \[1, 3\], but those named are 1 to 2"),
        (lambda file: change(file, f"{FIRST}/_options/predict_weighted_", np.array([1.0])), "weights its leaves"),
        (lambda file: change(file, f"{FIRST}/Tree_0/topology", np.array([1, 2, 0, 0, 2, 2, 0])), "one of its nodes twice"),
        (lambda file: change(file, f"{FIRST}/Tree_0/topology", np.zeros((3, 3), np.int32)), "no numbers at .*topology"),
        (lambda file: change(file, f"{FIRST}/Tree_0/parameters", np.array([1.0])), "parameters beyond its 1 numbers"),
        (lambda file: change(file, "Input Data/infos/lane0000/Raw Data/shape", np.array([4, 4])), "axes zyx, but the size 4x4"),
        (lambda file: change(file, "Input Data/infos/lane0000/Raw Data/axistags", tags("zyx").replace("z", "q")), "does not name its axes"),
    ],
)  # fmt: skip
def test_a_wrong_project_is_refused_with_a_sentence(harm: Callable[[Any], object], said: str, tmp_path: Path) -> None:
    path = write_project(tmp_path / "a.ilp", trees=[STUMP, STUMP])
    with h5py.File(path, "a") as file:
        harm(file)
    with pytest.raises(ValueError, match=rf"^a\.ilp: .*({said})"):
        model_of_project(path.read_bytes(), "a.ilp")


@pytest.mark.parametrize(
    ("label", "place", "said"),
    [(1, "", "do not say where they lie"), (9, "[0:1,0:2,0:2,0:1]", "is 9, and there are 2 classes")],
)
def test_labels_that_are_none_are_refused(label: int, place: str, said: str, tmp_path: Path) -> None:
    path = write_project(tmp_path / "a.ilp", labels=[((0, 0, 0, 0), np.full((1, 2, 2, 1), label, np.uint8))])
    with h5py.File(path, "a") as file:
        file["PixelClassification/LabelSets/labels000/block0000"].attrs["blockSlice"] = place
    with pytest.raises(ValueError, match=said):
        list(read_lane_labels(path.read_bytes(), read(path), 0))


def test_what_is_no_project_at_all_is_refused(tmp_path: Path) -> None:
    whole = write_project(tmp_path / "a.ilp", trees=[STUMP]).read_bytes()
    for data in (b"", b"hello", whole[: len(whole) // 2], b"\x89HDF\r\n\x1a\n" + bytes(500)):
        with pytest.raises(ValueError, match=r"^b\.ilp is no HDF5 file, or is damaged"):
            read_project(data, "b.ilp")


def test_a_project_without_a_forest_names_the_remedy(tmp_path: Path) -> None:
    path = write_project(tmp_path / "a.ilp")
    with pytest.raises(ValueError, match=r"keeps no classifier.*teravox learn import a\.ilp"):
        model_of_project(path.read_bytes(), "a.ilp")


def test_a_forest_of_the_filters_before_ilastik_1_2_is_refused(tmp_path: Path) -> None:
    tensor = (("StructureTensorEigenvalues", 1.6),)
    for version, features, wrong in (("1.1.7", tensor, True), ("1.2.0", tensor, False), ("1.1.7", EIGENVALUES, False)):
        columns = 3 if features is tensor else 4
        path = write_project(
            tmp_path / f"{version}-{columns}.ilp", trees=[STUMP], chosen=features, columns=columns, version=version
        )
        if wrong:
            with pytest.raises(ValueError, match=r"trained by ilastik 1\.1\.7.*--retrain"):
                read(path)
            assert read(path, with_forest=False).forest is None
        else:
            assert read(path).forest is not None
