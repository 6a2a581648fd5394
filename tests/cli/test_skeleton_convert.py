"""`teravox skeleton convert` as people type it, in both directions."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli.running import Run
from layers.make import files_of, make_layer, voxels
from skeletons.skeletal_layers import BIG, FORMS, Lines, make_empty, make_skeletal

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

WITHOUT_LOOPS = (7, 12, 300)


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return make_skeletal(tmp_path / "seg", "sharded").path


def skeletons_of(path: str) -> dict[int, Skeleton]:
    return dict(SkeletonSource.open(Layer.open(path, fresh=True)).each())


def lines_of(one: Skeleton | Lines) -> set[frozenset[tuple[float, ...]]]:
    """Edges as pairs of places, radii and types."""
    rows = np.column_stack([one.vertices, one.attributes["radius"], one.attributes["vertex_types"]]).astype(float)
    return {frozenset((tuple(rows[a]), tuple(rows[b]))) for a, b in one.edges.tolist()}


def assert_same(path: str, made: dict[int, Lines]) -> None:
    found = skeletons_of(path)
    assert sorted(found) == sorted(made)
    for label in WITHOUT_LOOPS:
        assert lines_of(found[label]) == lines_of(made[label])
        assert len(found[label].vertices) == len(made[label].vertices)
    assert lines_of(found[BIG]) < lines_of(made[BIG])


@pytest.mark.parametrize("form", FORMS)
def test_all_labels_become_files_and_come_back(run: Run, tmp_path: Path, form: str) -> None:
    made = make_skeletal(tmp_path / "seg", form)
    done = run("skeleton", "convert", made.path, "--output", "out/swc", "--units", "um")
    assert (done.code, done.out) == (0, f"4 skeletons written to {tmp_path}/out/swc.\n")
    assert done.err == f"teravox: label {BIG}: a loop was opened, since SWC knows only trees\n"
    assert sorted(file.name for file in (tmp_path / "out/swc").iterdir()) == sorted(
        f"{label}.swc" for label in made.skeletons
    )
    for to in FORMS:
        dest = make_empty(tmp_path / to)
        done = run("skeleton", "convert", "out/swc", dest, "--format", to)
        assert done == (0, f"4 skeletons written to file://{dest}/skeleton.\n", ""), done.err
        assert SkeletonSource.open(Layer.open(dest, fresh=True)).form == to
        assert_same(dest, made.skeletons)
        assert "skeleton convert" in (tmp_path / to / "provenance").read_text()


def test_one_file_holds_all_trees(run: Run, layer: str, tmp_path: Path) -> None:
    made = make_skeletal(tmp_path / "same", "legacy").skeletons
    assert run("skeleton", "convert", layer, "--output", "all.swc", "--quiet").out == ""
    dest = make_empty(tmp_path / "dest")
    assert run("skeleton", "convert", "all.swc", dest).code == 0
    assert_same(dest, made)


def test_streams_go_in_and_out(layer: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "teravox", "skeleton", "convert"]
    piped = subprocess.run([*words, layer, "--output", "-"], capture_output=True, check=True)
    dest = make_empty(tmp_path / "dest")
    taken = subprocess.run([*words, "-", dest], input=piped.stdout, capture_output=True, check=True)
    assert taken.stdout.decode() == f"4 skeletons written to file://{dest}/skeleton.\n"
    assert_same(dest, make_skeletal(tmp_path / "same", "legacy").skeletons)


def test_cloudvolume_reads_what_came_in(run: Run, layer: str, tmp_path: Path) -> None:
    from cloudvolume import CloudVolume

    made = make_skeletal(tmp_path / "same", "legacy").skeletons[7]
    assert run("skeleton", "convert", layer, "7", "300", "--output", "out").code == 0
    dest = make_empty(tmp_path / "dest")
    assert run("skeleton", "convert", "out/7.swc", "out/300.swc", dest).code == 0
    theirs = CloudVolume(f"file://{dest}", progress=False).skeleton.get(7)
    place = np.lexsort(np.asarray(theirs.vertices).T)
    order = np.lexsort(made.vertices.T)
    assert np.array_equal(theirs.vertices[place], made.vertices[order])
    assert np.array_equal(np.asarray(theirs.radius)[place], made.attributes["radius"][order])


def test_a_missing_label_is_named_and_the_others_are_written(run: Run, layer: str, tmp_path: Path) -> None:
    code, out, err = run("skeleton", "convert", layer, "8", "7", "9")
    assert (code, out) == (1, f"1 skeleton written to {tmp_path}.\n")
    assert err == "".join(f"teravox: label {label} has no skeleton in file://{layer}/skeletons\n" for label in (8, 9))
    assert (tmp_path / "7.swc").is_file()


def test_packed_files_and_names_without_labels(run: Run, layer: str, tmp_path: Path) -> None:
    assert run("skeleton", "convert", layer, "7", "300").code == 0
    bare = [line for line in (tmp_path / "7.swc").read_text().splitlines() if line[0] != "#"]
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "55.swc.gz").write_bytes(gzip.compress("\n".join(bare).encode()))
    shutil.move(tmp_path / "300.swc", folder / "a neuron.swc")
    (folder / "readme.txt").write_text("not for us")
    dest = make_empty(tmp_path / "dest")
    code, _, err = run("skeleton", "convert", "files", dest)
    assert code == 1
    assert "55.swc.gz does not say the unit of its numbers: say it with --units" in err
    assert not (tmp_path / "dest/skeleton").exists()
    assert run("skeleton", "convert", "files", dest, "--units", "nm").code == 0
    assert sorted(skeletons_of(dest)) == [55, 300]
    (folder / "a neuron.swc").write_text("\n".join(bare))
    code, _, err = run("skeleton", "convert", "files", dest, "--units", "nm")
    assert code == 1
    assert "files/a neuron.swc does not say its label: name it LABEL.swc, or let a line" in err


def test_the_old_skeletons_are_named_until_the_new_ones_are_there(run: Run, tmp_path: Path) -> None:
    made = make_skeletal(tmp_path / "seg", "legacy")
    before = files_of(made.path)
    assert run("skeleton", "convert", made.path, "7").code == 0
    assert run("skeleton", "convert", "7.swc", made.path, "--dir", "skeletons").code == 0
    after = files_of(made.path)
    assert {name: after[name] for name in before if name.startswith("skeletons/")} == {
        name: data for name, data in before.items() if name.startswith("skeletons/")
    }
    assert json.loads(after["info"])["skeletons"].startswith("skeletons_")
    assert run("skeleton", "convert", "7.swc", made.path, "--dir", "skeletons").code == 0
    assert {k: v for k, v in files_of(made.path).items() if k != "provenance"} == {
        k: v for k, v in after.items() if k != "provenance"
    }


def test_a_label_that_is_there_twice_is_refused(run: Run, layer: str, tmp_path: Path) -> None:
    assert run("skeleton", "convert", layer, "7").code == 0
    shutil.copy(tmp_path / "7.swc", tmp_path / "again.swc")
    dest = make_empty(tmp_path / "dest")
    code, _, err = run("skeleton", "convert", "7.swc", "again.swc", dest)
    assert code == 1
    assert "label 7 is there twice" in err
    assert not (tmp_path / "dest/skeleton").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "WHAT is missing"),
        (["seg", "0"], "WHAT: a label is a number from 1 to"),
        (["seg", "7", "--format", "legacy"], "--format: means nothing where a layer becomes files; leave it out"),
        (["seg", "7", "--dir", "x"], "--dir: means nothing where a layer becomes files"),
        (["a.swc", "seg", "--output", "x"], "--output: means nothing where files become a layer's"),
        (["a.txt", "seg"], "WHAT: a.txt is no folder, and does not end with .swc or .swc.gz"),
        (["empty", "seg"], "WHAT: there are no files .swc in empty"),
        (["seg", "--units", "mm"], "--units: expected nm or um"),
    ],
)
def test_nonsense_is_refused(run: Run, layer: str, tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "empty").mkdir()
    before = files_of(layer)
    code, out, err = run("skeleton", "convert", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert files_of(layer) == before


def test_what_cannot_take_skeletons_is_refused(run: Run, layer: str, tmp_path: Path) -> None:
    assert run("skeleton", "convert", layer, "7").code == 0
    image = make_layer(tmp_path / "em", voxels((8, 8, 8), "uint8"))
    assert "is no segmentation, so it has no skeletons" in run("skeleton", "convert", "7.swc", image).err
    assert "there is no layer at" in run("skeleton", "convert", "7.swc", "nowhere").err
    code, _, err = run("skeleton", "convert", "7.swc", make_empty(tmp_path / "dest"), "--dir", "4_4_40")
    assert (code, "--dir: 4_4_40 cannot hold skeletons" in err) == (2, True)
    (tmp_path / "8.swc.gz").write_bytes(b"nothing")
    assert "8.swc.gz cannot be read" in run("skeleton", "convert", "8.swc.gz", str(tmp_path / "dest")).err
    assert "cannot read 9.swc: No such file" in run("skeleton", "convert", "9.swc", str(tmp_path / "dest")).err
    (tmp_path / "10.swc").write_text("1 2 3")
    (tmp_path / "11.swc").write_text("# nothing")
    assert "11.swc has no nodes" in run("skeleton", "convert", "11.swc", str(tmp_path / "dest")).err
    assert "10.swc, line 1: expected node, type" in run("skeleton", "convert", "10.swc", str(tmp_path / "dest")).err
