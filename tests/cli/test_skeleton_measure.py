"""`teravox skeleton measure` as people type it, and what `show` tells of skeletons."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from cli.running import Run
from skeletons.skeletal_layers import BIG, FORMS, make_empty, make_skeletal, some_skeletons

COUNTS = ["vertices", "edges", "components", "loops", "terminals", "branch_points"]
COLUMNS = ["label", *COUNTS, *(f"{name}_nm" for name in ("cable_length", "mean_radius", "min_radius", "max_radius"))]


@pytest.mark.parametrize("form", FORMS)
def test_a_table_has_a_row_for_each_label(run: Run, tmp_path: Path, form: str) -> None:
    path = make_skeletal(tmp_path / "seg", form).path
    done = run("skeleton", "measure", path, "--output", "out/m.csv")
    assert (done.code, done.out) == (0, f"4 skeletons measured: {tmp_path}/out/m.csv\n"), done.err
    with (tmp_path / "out/m.csv").open() as file:
        rows = {int(row["label"]): row for row in csv.DictReader(file)}
        assert list(rows[7]) == COLUMNS
    assert sorted(rows) == [7, 12, 300, BIG]
    assert [rows[BIG][name] for name in COUNTS] == ["5", "5", "1", "1", "1", "1"]
    assert float(rows[7]["cable_length_nm"]) == 35 * 4
    assert float(rows[7]["max_radius_nm"]) == some_skeletons()[7].attributes["radius"].max()


def test_parquet_has_the_same_and_labels_can_be_chosen(run: Run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = make_skeletal(tmp_path / "seg", "sharded").path
    assert run("skeleton", "measure", path, str(BIG), "7", "7", "-o", "m.parquet").code == 0
    table = parquet.read_table(tmp_path / "m.parquet")
    assert table.column_names == COLUMNS
    rows = {row["label"]: row for row in table.to_pylist()}
    assert sorted(rows) == [7, BIG]
    assert (rows[7]["vertices"], rows[7]["terminals"], rows[BIG]["loops"]) == (36, 2, 1)


def test_a_layer_with_no_skeleton_in_it_gives_an_empty_table(run: Run, tmp_path: Path) -> None:
    path = make_skeletal(tmp_path / "seg", "legacy", skeletons={}).path
    assert run("skeleton", "measure", path, "-o", "m.csv", "--quiet") == (0, "", "")
    assert (tmp_path / "m.csv").read_text() == ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["7", "8", "-o", "m.csv"], "LABEL: file://{path}/skeletons has no skeleton of 8"),
        (["-o", "m.txt"], "expected a file that ends in .csv or .parquet"),
        (["-o", "s3://bucket/m.csv"], "is not on a file system"),
        (["0", "-o", "m.csv"], "LABEL: must be more than 0 each, got 0"),
        ([], "--output is missing"),
    ],
)
def test_nonsense_is_refused(run: Run, tmp_path: Path, words: list[str], says: str) -> None:
    path = make_skeletal(tmp_path / "seg", "legacy").path
    code, out, err = run("skeleton", "measure", path, *words)
    assert (code, out) == (2, "")
    assert says.format(path=path) in err
    assert not list(tmp_path.glob("m.*"))


def parts(run: Run, path: str) -> dict[str, dict[str, Any]]:
    code, out, err = run("show", path, "--json")
    assert (code, err) == (0, "")
    return {part["what"]: part for part in json.loads(out)["parts"]}


@pytest.mark.parametrize("form", FORMS)
def test_show_tells_the_form_the_attributes_and_the_labels(run: Run, tmp_path: Path, form: str) -> None:
    seen = parts(run, make_skeletal(tmp_path / "seg", form).path)
    details = "radius, vertex_types, cross_sectional_area, hue"
    assert seen == {
        "skeletons": {
            "what": "skeletons",
            "key": "skeletons",
            "found": True,
            "type": "neuroglancer_skeletons",
            "is_sharded": form == "sharded",
            "details": f"{details}, 4 labels" if form == "sharded" else details,
        }
    }


def test_show_tells_of_fragments_until_they_are_merged_and_after(run: Run, tmp_path: Path) -> None:
    import numpy as np
    from layers.make import make_layer

    voxels = np.zeros((40, 36, 24, 1), np.uint64)
    voxels[2:38, 10:14, 10:14] = 9
    path = make_layer(tmp_path / "seg", voxels, chunk=(16, 16, 16), type="segmentation", resolution=(16, 16, 16))
    assert parts(run, path) == {}
    words = ("--shape", "16,16,16", "--dust-threshold", "0", "--quiet")
    assert run("skeleton", "forge", path, *words).code == 0
    said = parts(run, path)["skeleton_fragments"]
    assert said["key"].startswith("skeleton.fragments/")
    assert said["details"] == f"mip 0, 18 pieces, not yet merged: teravox skeleton merge file://{path}"
    assert "skeleton fragments" in run("show", path).out
    assert run("skeleton", "merge", path, "--min-cable-length", "0", "--quiet").code == 0
    seen = parts(run, path)
    assert seen["skeleton_fragments"]["details"] == "mip 0, 18 pieces, merged"
    assert seen["skeletons"]["details"] == "radius, 1 label"
    assert run("skeleton", "clean", path, "--yes", "--quiet").code == 0
    assert set(parts(run, path)) == {"skeletons"}


def test_a_layer_without_skeletons_says_so(run: Run, tmp_path: Path) -> None:
    code, _, err = run("skeleton", "measure", make_empty(tmp_path / "seg"), "-o", "m.csv")
    assert code == 1
    assert "has no skeletons: its info names none" in err
