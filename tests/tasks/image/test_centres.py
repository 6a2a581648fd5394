"""`teravox image centres` and `evaluate centres`: over pieces and chunks, and against other libraries."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.make import files_of, make_layer
from numpy.typing import NDArray
from scipy import ndimage

from teravox.cli.main import main
from teravox.kernels.synthetic.fibres import draw_fibres
from teravox.pipeline.box import Box
from teravox.pipeline.centres import comparison_plan
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.tasks.evaluate.centres import Centres as Compare
from teravox.tasks.image.centres import Centres

OFFSET = (5, -9, 3)
SIZE = (48, 44, 20)
Array = NDArray[Any]  # of numbers


@pytest.fixture(scope="module")
def truth() -> Array:
    """Fibres along z, as x, y and z."""
    return draw_fibres(SIZE, (0, 0, 0), SIZE, 2, radius=5).truth


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory, truth: Array) -> str:
    folder = tmp_path_factory.mktemp("fibres") / "truth"
    return make_layer(
        folder, truth[..., None], chunk=(16, 16, 8), offset=OFFSET, type="segmentation", resolution=(9, 9, 9)
    )


def find(layer: str, **options: Any) -> list[dict[str, float]]:
    """The table that comes of it."""
    output = f"{layer}.csv"
    job = Centres(layer, output=output, **options)
    job.prepare()
    for piece in reversed(job.pieces()):
        job.run(piece)
        job.run(piece)
    job.finish()
    job.finish()
    with open(output) as file:  # noqa: PTH123 - a path of text
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def compare(truth: KnownFile | str, found: KnownFile | str, dest: Path, **options: Any) -> dict[str, Any]:
    job = Compare(truth, found, str(dest), **options)
    job.prepare()
    for piece in job.pieces():
        assert job.memory(piece) > 0
        job.run(piece)
    job.finish()
    report: dict[str, Any] = json.loads((dest / "centres.json").read_text())
    return report


def by_scipy(labels: Array, axis: int) -> list[tuple[float, ...]]:
    """Slice, label, area, x, y and z of each part, sorted."""
    found = []
    for at in range(labels.shape[axis]):
        plane = labels.take(at, axis)
        for label in np.unique(plane[plane > 0]):
            parts, number = ndimage.label(plane == label)
            for part in range(1, number + 1):
                place = [*ndimage.center_of_mass(parts == part)]
                place.insert(axis, at)
                area = int((parts == part).sum())
                found.append((at + OFFSET[axis], int(label), area, *np.add(place, OFFSET)))
    return sorted(found)


@pytest.mark.parametrize(
    "options",
    [{}, {"slices": 3}, {"axis": "x"}, {"axis": "y", "slices": 7, "memory_limit": 470_000_000}],
    ids=["slabs of chunks", "slabs across chunks", "across x", "little memory"],
)
def test_centres_are_those_of_whole_slices(layer: str, truth: Array, options: dict[str, Any]) -> None:
    found = find(layer, **options)
    wanted = by_scipy(truth, "xyz".index(options.get("axis", "z")))
    keys = ["slice", "label", "area", "x", "y", "z"]
    assert [list(row) for row in found[:1]] == [keys]
    ours = sorted(tuple(row[key] for key in keys) for row in found)
    np.testing.assert_allclose(ours, wanted)


def test_the_same_table_comes_of_any_pieces(layer: str) -> None:
    tables = [find(layer, **options) for options in ({}, {"slices": 1}, {"slices": 5, "memory_limit": 2_000_000_000})]
    assert tables[0] == tables[1] == tables[2]
    left = [key for key in files_of(layer) if key.startswith("stats/centres/9_9_9/z/parts")]
    assert len({key.split("/")[5] for key in left}) == 1  # of the last time only


@pytest.mark.parametrize("slices", [None, 3])
def test_a_part_of_the_volume_is_looked_at(layer: str, truth: Array, slices: int | None) -> None:
    found = find(layer, bounds=Box((10, 0, 5), (40, 20, 9)), min_area=30, slices=slices)
    assert {row["slice"] for row in found} == {5, 6, 7, 8}
    part = truth[5:35, 9:29, 2:6]
    wanted = [
        ndimage.center_of_mass(part[..., 0] == label)
        for label in np.unique(part[..., 0][part[..., 0] > 0])
        if (part[..., 0] == label).sum() >= 30
    ]
    ours = [(row["x"] - 10, row["y"]) for row in found if row["slice"] == 5]
    np.testing.assert_allclose(sorted(ours), sorted(wanted))


def test_the_table_is_written_as_parquet_too(layer: str, tmp_path: Path) -> None:
    from pyarrow import parquet  # type: ignore[import-untyped]  # it brings no types

    job = Centres(layer, output=str(tmp_path / "centres.parquet"))
    for piece in job.pieces():
        job.run(piece)
    job.finish()
    rows: list[dict[str, float]] = parquet.read_table(tmp_path / "centres.parquet").to_pylist()
    assert rows == find(layer)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"memory_limit": 1_000_000}, "--memory: 1.0 MB are too little for 8 slices of the chunks"),
        ({"output": "a.txt"}, r"--output: expected a file that ends in .csv or .parquet"),
    ],
)
def test_what_cannot_be_done_is_refused(layer: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadUsage, match=said):
        Centres(layer, **options).prepare()


def test_images_have_no_centres(tmp_path: Path) -> None:
    image = make_layer(tmp_path / "image", np.zeros((4, 4, 4, 1), np.float32, order="F"))
    with pytest.raises(BadUsage, match="holds float32, and labels are whole numbers"):
        Centres(image).prepare()


def clicked(path: Path, rows: list[tuple[float, float, float]]) -> KnownFile:
    path.write_text("x,y,z\n" + "".join(f"{x},{y},{z}\n" for x, y, z in rows))
    return KnownFile.at(str(path))


def test_centres_are_compared_by_pairs_and_by_discs(layer: str, truth: Array, tmp_path: Path) -> None:
    find(layer)
    random = np.random.default_rng(0)
    low, high = np.array(OFFSET), np.add(OFFSET, SIZE)
    rows = [
        (row["x"] + random.normal(0, 1.5), row["y"] + random.normal(0, 1.5), row["z"])
        for row in find(layer)
        if row["slice"] in (4, 11)
    ]
    table = clicked(tmp_path / "clicked.csv", [*rows[2:], (OFFSET[0] + 1.0, OFFSET[1] + 30.0, 11.0)])
    report = compare(table, layer, tmp_path / "quality", diameter=7.0, within=3.0)

    pixels = np.stack(np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]), indexing="ij"), -1)
    discs = []
    for given in (
        np.loadtxt(table.path, delimiter=",", skiprows=1),
        np.array([[row["x"], row["y"], row["z"]] for row in find(layer)]),
    ):
        planes = [given[given[:, 2] == z][:, :2] for z in (4, 11)]
        discs.append([(np.linalg.norm(pixels[..., None, :] - plane, axis=-1) <= 3.5).any(-1) for plane in planes])
    tn, fp, fn, tp = np.bincount(2 * np.ravel(discs[0]) + np.ravel(discs[1]), minlength=4).tolist()
    said = report["discs"]
    assert [
        said[f"{sort}_{what}"]
        for sort, what in (("true", "negatives"), ("false", "positives"), ("false", "negatives"), ("true", "positives"))
    ] == [tn, fp, fn, tp]
    assert said["dice"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert said["sensitivity"] == pytest.approx(tp / (tp + fn))
    assert said["balanced_accuracy"] == pytest.approx((tp / (tp + fn) + tn / (tn + fp)) / 2)
    centres = report["centres"]
    assert report["slices"] == 2
    assert centres["in_truth"] == len(rows) - 1
    assert centres["in_found"] == len(rows)
    assert len(rows) / 2 < centres["matched"] < len(rows) - 2
    assert centres["precision"] == centres["matched"] / len(rows)
    assert centres["farthest"] <= 3


def test_a_volume_is_as_good_as_itself(layer: str, tmp_path: Path) -> None:
    find(layer)
    report = compare(layer, layer, tmp_path / "quality")
    assert report["slices"] == SIZE[2]
    assert report["centres"]["f1"] == report["discs"]["dice"] == 1
    assert report["centres"]["mean_distance"] == 0
    assert len((tmp_path / "quality/slices.csv").read_text().splitlines()) == 1 + SIZE[2]


def test_work_is_divided_by_slices_and_comes_to_the_same(
    layer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(layer)
    table = clicked(tmp_path / "clicked.csv", [(20, 10, z) for z in (4, 5, 9, 22)])
    whole = compare(table, layer, tmp_path / "whole")
    monkeypatch.setattr(comparison_plan, "PIXELS", 1)
    assert compare(table, layer, tmp_path / "by slice") == whole
    assert len(Compare(table, layer, str(tmp_path / "by slice")).pieces()) == 4


def test_pixels_that_are_not_square_count_by_their_sides(tmp_path: Path) -> None:
    voxels = np.zeros((9, 9, 9, 1), np.uint8, order="F")
    voxels[4, 4, 4] = 1
    source = make_layer(tmp_path / "source", voxels, type="segmentation", resolution=(4, 4, 8))
    find(source, axis="x")
    table = clicked(tmp_path / "clicked.csv", [(4, 4, 5)])
    for within, matched in ((1.9, 0), (2.0, 1)):
        report = compare(table, source, tmp_path / f"{within}", axis="x", within=within, diameter=4.0)
        assert report["centres"]["matched"] == matched
    assert report["discs"]["true_positives"] + report["discs"]["false_negatives"] == 5 + 1 + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "TRUTH: .* has no columns x, y and z in its first line"),
        ("x,y,z\n1,2\n", "TRUTH: line 2 of .* has no numbers in x, y and z"),
        ("x,y,z\n1,2,99\n", "TRUTH: .* has no centres in 5,-9,3:53,35,23"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused(layer: str, tmp_path: Path, text: str, said: str) -> None:
    find(layer)
    path = tmp_path / "clicked.csv"
    path.write_text(text)
    with pytest.raises(BadUsage, match=said):
        compare(KnownFile.at(str(path)), layer, tmp_path / "quality")
    assert not (tmp_path / "quality").exists()


def test_centres_must_have_been_found(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", np.ones((4, 4, 4, 1), np.uint8, order="F"), type="segmentation")
    with pytest.raises(
        BadInput, match=r"the centres of mip 0 .* have not been found: teravox image centres .* --axis y"
    ):
        compare(source, source, tmp_path / "quality", axis="y")


def test_nothing_is_written_into_what_is_compared(layer: str) -> None:
    find(layer)
    with pytest.raises(BadUsage, match=r"lies within the layer .*, which is only read"):
        compare(layer, layer, Path(layer) / "quality")


def test_the_command_says_how_good_it_is(layer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    find(layer)
    table = f"{layer}.csv"
    assert main(["evaluate", "centres", table, layer, str(tmp_path / "quality"), "--dry-run"]) == 0
    assert not (tmp_path / "quality").exists()
    capsys.readouterr()
    assert main(["evaluate", "centres", table, layer, str(tmp_path / "quality")]) == 0
    assert "match: precision 1.0000, recall 1.0000, F1 1.0000" in capsys.readouterr().out
    assert main(["evaluate", "centres", table, table, str(tmp_path / "other"), "--quiet"]) == 2
    assert "--bounds: two tables of points do not say how large a slice is" in capsys.readouterr().err
