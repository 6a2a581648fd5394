"""`teravox mesh get` as people type it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli.running import Run
from meshes.meshed_layers import BIG, make_meshed

FORMATS = ("ply", "obj", "stl", "glb")


def extent(file: Path) -> float:
    """The length of a mesh in x."""
    import trimesh

    mesh = trimesh.load_mesh(file)
    return float(np.ptp(mesh.vertices[:, 0]))


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return make_meshed(tmp_path / "seg", "sharded").path


@pytest.mark.parametrize("format", FORMATS)
def test_labels_become_files(run: Run, layer: str, tmp_path: Path, format: str) -> None:
    done = run("mesh", "get", layer, "7", str(BIG), "--format", format, "--output", "out/meshes")
    assert done == (0, f"2 meshes written to {tmp_path}/out/meshes.\n", ""), done.err
    assert sorted(file.name for file in (tmp_path / "out/meshes").iterdir()) == sorted(
        [f"7.{format}", f"{BIG}.{format}"]
    )
    assert extent(tmp_path / f"out/meshes/{BIG}.{format}") == pytest.approx(24, abs=0.01)


def test_a_level_and_a_unit_can_be_chosen(run: Run, layer: str, tmp_path: Path) -> None:
    assert run("mesh", "get", layer, str(BIG), "--lod", "2", "--units", "um").out == f"1 mesh written to {tmp_path}.\n"
    assert extent(tmp_path / f"{BIG}.ply") == pytest.approx(0.024, abs=1e-5)


def test_the_ending_of_the_file_says_the_format(run: Run, layer: str, tmp_path: Path) -> None:
    assert run("mesh", "get", layer, "7", "--output", "ball.obj").code == 0
    assert (tmp_path / "ball.obj").read_text().startswith("# in nm\nv ")


def test_the_standard_output_takes_one_mesh(run: Run, layer: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "teravox", "mesh", "get", layer, "7", "--format", "stl", "--output", "-"]
    piped = subprocess.run(words, capture_output=True, check=True)
    assert run("mesh", "get", layer, "7", "--format", "stl").code == 0
    assert piped.stdout == (tmp_path / "7.stl").read_bytes()
    assert piped.stderr == b""


def test_a_missing_label_is_named_and_the_others_are_written(run: Run, layer: str, tmp_path: Path) -> None:
    code, out, err = run("mesh", "get", layer, "8", "7", "9")
    assert (code, out) == (1, f"1 mesh written to {tmp_path}.\n")
    assert err == "".join(f"teravox: label {label} has no mesh in file://{layer}/mesh\n" for label in (8, 9))
    assert (tmp_path / "7.ply").is_file()


def test_a_level_that_is_not_there_is_named(run: Run, layer: str) -> None:
    code, _, err = run("mesh", "get", layer, "7", "--lod", "3")
    assert code == 1
    assert f"label 7 has levels 0 to 2 in file://{layer}/mesh, and --lod asks for 3" in err


def test_a_damaged_mesh_is_named_and_the_others_are_written(run: Run, tmp_path: Path) -> None:
    path = make_meshed(tmp_path / "other", "legacy").path
    (tmp_path / "other/mesh/300:0").write_bytes(b"{")
    code, _, err = run("mesh", "get", path, "300", "7")
    assert code == 1
    assert "mesh/300:0 names no fragments" in err
    assert (tmp_path / "7.ply").is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["7", "9", "--output", "-"], "--output: - holds a single mesh, and 2 are wanted"),
        (["7", "9", "--output", "a.ply"], "--output: a.ply holds a single mesh"),
        (["7", "--output", "a.ply", "--format", "obj"], "--output: a.ply does not end with obj"),
        (["0"], "LABEL: must be more than 0 each, got 0"),
        ([], "LABEL is missing"),
        (["7", "--format", "fbx"], "--format: expected ply, obj, stl or glb"),
    ],
)
def test_nonsense_is_refused(run: Run, layer: str, words: list[str], says: str) -> None:
    code, out, err = run("mesh", "get", layer, *words)
    assert (code, out) == (2, "")
    assert says in err


def test_a_layer_without_meshes_says_so(run: Run, tmp_path: Path) -> None:
    from layers.make import make_layer, voxels

    path = make_layer(tmp_path / "plain", voxels((8, 8, 8), "uint8"), type="segmentation")
    code, _, err = run("mesh", "get", path, "7")
    assert code == 1
    assert "has no meshes: its info names none" in err
