"""`teravox demo`: from nothing to a scene; and the pipeline files in examples/, as they stand."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from cloudvolume import CloudVolume
from cloudvolume.exceptions import EmptyFileException
from layers.make import files_of, make_layer
from numpy.typing import NDArray
from servers.daemon import or_skip
from view.browser import Page, chromium
from view.showing import viewed

import teravox
from teravox.cli.main import main
from teravox.kernels.synthetic.beads import draw_beads
from teravox.kernels.synthetic.fibres import draw_fibres
from teravox.kernels.synthetic.neurites import draw_neurites
from teravox.pipeline.box import Vec
from teravox.pipeline.demo.choices import CHOICES, pipeline_of
from teravox.pipeline.demo.examples import read_example
from teravox.pipeline.demo.material import draw
from teravox.pipeline.demo.place import claim

CHECKOUT = Path(__file__).parents[2]
EXAMPLES = ["em_to_scene.toml", "fibres.toml", "microct_beads.toml", "segmentation_to_meshes.toml"]
PICTURES = os.environ.get("TERAVOX_TEST_PICTURES", "")  # taken away from each test
SMALL = "96,80,64"
SIZE: Vec = (96, 80, 64)
Ran = subprocess.CompletedProcess[str]


def teravox_in(folder: Path, *words: str) -> Ran:
    """A command line in a process of its own, since workers are children of it."""
    return subprocess.run(
        [sys.executable, "-m", "teravox", *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """The folder of a small demo that was stopped in the middle, its exit code, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "teravox", "demo", "brain", "--size", SMALL]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as first:
        wait_for(lambda: (folder / "brain" / "em" / "info").exists() or first.poll() is not None)
        first.send_signal(signal.SIGINT)
        said, _ = first.communicate()
    return folder / "brain", first.returncode, said


@pytest.fixture(scope="module")
def once(interrupted: tuple[Path, int, str]) -> tuple[Path, Ran]:
    """The same demo, started again, and what came of that."""
    return interrupted[0], teravox_in(interrupted[0].parent, "demo", "brain")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with or_skip(), chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


def wait_for(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.01)


def test_it_says_how_to_go_on_when_it_is_interrupted(interrupted: tuple[Path, int, str]) -> None:
    _, code, said = interrupted

    assert code == 130
    assert "The same command again goes on" in said


def test_it_ends_with_how_good_the_segmentation_is(once: tuple[Path, Ran]) -> None:
    folder, ran = once
    assert ran.returncode == 0, ran.stderr
    said = re.search(
        r"VI ([\d.]+) bits: [\d.]+ by splits, [\d.]+ by merges; (\d+) bodies were found, and (\d+) are there",
        ran.stdout,
    )
    assert said is not None, ran.stdout
    report = json.loads((folder / "quality" / "report.json").read_text())

    assert float(said[1]) == pytest.approx(report["labels"]["vi"]["total"], abs=0.005)
    assert float(said[1]) < 0.6  # of 2.7 bits that the truth has
    assert int(said[3]) == len(np.unique(draw_neurites(SIZE, (0, 0, 0), SIZE, 1).truth))


def test_the_image_is_what_was_drawn(once: tuple[Path, Ran]) -> None:
    drawn = draw_neurites(SIZE, (0, 0, 0), SIZE, 1)

    image = np.asarray(CloudVolume(f"file://{once[0] / 'em'}", progress=False)[:])[..., 0]

    assert np.array_equal(image, drawn.image)
    assert np.array_equal(tifffile.imread(once[0] / "em.tif"), drawn.image.T)


def test_the_segmentation_has_a_pyramid_meshes_skeletons_and_sizes(once: tuple[Path, Ran]) -> None:
    volume = CloudVolume(f"file://{once[0] / 'seg'}", progress=False, fill_missing=False)
    labels, counts = np.unique(np.asarray(volume[:]), return_counts=True)
    largest = int(labels[np.argmax(counts * (labels != 0))])
    with (once[0] / "sizes.csv").open() as file:
        sizes = {int(row["label"]): int(row["voxels"]) for row in csv.DictReader(file)}

    assert volume.mip_volume_size(2).tolist() == [24, 20, 16]
    assert sizes == dict(zip(labels.tolist(), counts.tolist(), strict=True))
    assert len(volume.mesh.get(largest)[largest].faces) > 100
    assert len(volume.skeleton.get(largest).edges) > 5


def test_the_scene_shows_image_and_segmentation(once: tuple[Path, Ran]) -> None:
    state = json.loads((once[0] / "scene.json").read_text())

    assert [(layer["type"], layer["name"]) for layer in state["layers"]] == [("image", "em"), ("segmentation", "seg")]
    assert len(state["layers"][1]["segments"]) > 3


def has_skeleton(folder: Path, label: int) -> bool:
    try:
        CloudVolume(f"file://{folder}", progress=False).skeleton.get(label)
    except EmptyFileException:
        return False
    return True


def explained(shown: NDArray[np.float64], labels: NDArray[np.uint64]) -> float:
    """How much of the colors' variance is between labels and not within them, from 0 to 1."""
    within = sum(shown[labels == one].var(axis=0).sum() * np.mean(labels == one) for one in np.unique(labels))
    return float(1 - within / shown.var(axis=(0, 1)).sum())


@pytest.mark.server
def test_the_scene_is_seen_in_the_browser(
    once: tuple[Path, Ran], page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERAVOX_TEST_PICTURES", PICTURES)
    truth = CloudVolume(f"file://{once[0] / 'truth'}", progress=False)
    plane = np.asarray(truth[:, :, SIZE[2] // 2])[..., 0, 0]

    state = json.loads((once[0] / "scene.json").read_text())
    seg = state["layers"][1]
    seg["segments"] = [label for label in seg["segments"] if has_skeleton(once[0] / "seg", int(label))]
    (tmp_path / "scene.json").write_text(json.dumps(state))  # the client is never ready with labels that have none

    with viewed(page, "demo", tmp_path, str(tmp_path / "scene.json")) as seen:
        layers = [layer["name"] for layer in seen.state["layers"]]
        shown = seen.xy_plane(plane, 1)
        in_space = seen.space()

    assert layers == ["em", "seg"]
    assert explained(shown, plane) > 0.2  # bodies have colors of their own, and the image shines through
    assert explained(shown, plane) > 2 * explained(shown, plane[::-1])
    assert (np.ptp(in_space, axis=2) > 60).mean() > 0.03  # meshes are colored, and slices of the image are grey


def test_a_second_run_does_nothing_again(once: tuple[Path, Ran]) -> None:
    before = files_of(str(once[0]))

    ran = teravox_in(once[0].parent, "demo", "brain")

    assert ran.returncode == 0, ran.stderr
    assert "VI " in ran.stdout
    assert files_of(str(once[0])) == before


def test_every_file_is_named_by_the_page_about_formats(once: tuple[Path, Ran]) -> None:
    page = (CHECKOUT / "docs" / "formats.md").read_text()
    names = [
        name
        for line in page.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split(" | ")[0])
    ]
    patterns = [
        re.compile(re.sub(r"\\{[a-z]+\\}", "[^/]+", re.escape(name)) + r"(\.gz|\.br|\.zstd)?") for name in names
    ]

    unknown = []
    for file in once[0].rglob("*"):
        key = file.relative_to(once[0]).as_posix()
        key = re.sub(r"^(em|seg|truth|quality)/", "", key)
        key = re.sub(r"^(mesh|skeleton)/(?=ledger/)", "", key)
        if file.is_file() and key not in {"em.tif", "truth.npy", "sizes.csv", "em_to_scene.toml"}:
            unknown += [] if any(pattern.fullmatch(key) for pattern in patterns) else [key]

    assert unknown == []


@pytest.mark.parametrize(
    ("there", "words", "sentence"),
    [
        (
            {"notes.txt": "mine"},
            [],
            "holds files that are of no demo, and they stay; name a folder that is new or empty",
        ),
        ({"demo.json": "{}"}, [], "is of no demo of this teravox"),
        ({"demo.json": '{"form":"teravox demo 1","size":[64,64,64],"seed":1}'}, ["--size", "96,64,64"], "--size: "),
        ({"demo.json": '{"form":"teravox demo 1","size":[64,64,64],"seed":1}'}, ["--seed", "2"], "--seed: "),
        ({}, ["--size", "8,64,64"], "at least 48 along each axis"),
        ({}, ["--size", "4096,4096,4096"], "134,217,728 in all can be drawn"),
    ],
)
def test_it_refuses_before_it_writes(
    there: dict[str, str], words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "brain"
    for name, text in there.items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    assert main(["demo", str(folder), *words]) == 2

    assert sentence in capsys.readouterr().err
    assert {file.name: file.read_text() for file in folder.glob("*")} == there


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "brain").write_text("")

    assert main(["demo", str(tmp_path / "brain")]) == 2
    assert "is a file; name a folder that is new or empty" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")

    assert main(["demo", str(tmp_path / "file" / "brain")]) == 3
    assert "cannot write" in capsys.readouterr().err


def test_drawing_goes_on_after_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("teravox.pipeline.demo.material.draw", interrupt)

    assert main(["demo", str(tmp_path / "brain"), "--size", "48,48,48"]) == 130
    assert [file.name for file in (tmp_path / "brain").iterdir()] == ["demo.json"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_come_with_the_package(name: str) -> None:
    assert read_example(name) == (CHECKOUT / "examples" / name).read_bytes()


def test_a_wheel_holds_them_once() -> None:
    package = Path(teravox.__file__).parent
    places = [package / "examples", package.parent / "examples"]

    assert sum((place / EXAMPLES[0]).is_file() for place in places) == 1


def labelled(folder: Path) -> NDArray[np.uint64]:
    voxels: NDArray[np.uint64] = np.asarray(CloudVolume(f"file://{folder}", progress=False)[:])[..., 0]
    return voxels


def find_match(found: NDArray[np.uint64], here: NDArray[np.bool_]) -> int:
    """The body that shares more than half of what it and the true one have together; 0 if there is none."""
    labels, shared = np.unique(found[here], return_counts=True)
    best = labels[np.argmax(shared * (labels != 0))]
    return int(best) if shared.max() / (here | (found == best)).sum() > 0.5 else 0


def test_each_bead_of_a_demo_becomes_one_body(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size, folder = (72, 64, 64), tmp_path / "pack"
    words = ["demo", str(folder), "--data", "beads", "--size", "72,64,64", "--seed", "3"]

    assert main(words) == 0

    said = re.search(r"(\d+) bodies were found, and (\d+) are there", capsys.readouterr().out)
    assert said is not None
    truth = draw_beads(size, (0, 0, 0), size, 3).truth
    assert np.array_equal(np.load(folder / "truth.npy"), truth.T)
    beads, voxels = np.unique(truth, return_counts=True)
    assert int(said[2]) == len(beads) - 1
    assert abs(int(said[1]) - int(said[2])) < 4  # slivers at the sides, of which the least are dropped
    whole = [bead for bead, count in zip(beads, voxels, strict=True) if bead and count > 2000]  # of 17,000
    found = labelled(folder / "bodies")
    assert len({find_match(found, truth == bead) for bead in whole} - {0}) == len(whole) > 15
    with (folder / "beads.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {int(row["label"]) for row in rows} == set(np.unique(found).tolist())
    assert {"radius", "at_border", "contacts", "mean"} < set(rows[0])
    assert "<svg" in (folder / "sizes.svg").read_text()
    assert [layer["name"] for layer in json.loads((folder / "scene.json").read_text())["layers"]] == ["image", "bodies"]
    assert main([*words[:2], "--data", "fibres"]) == 2
    assert "--data: " in capsys.readouterr().err


def test_a_demo_of_fibres_has_its_own_file(tmp_path: Path) -> None:
    text = pipeline_of(CHOICES["fibres"]).decode()

    assert 'source = "ct.tif"' in text
    assert text.endswith('b = "{out}/bodies"\ndest = "{out}/quality"\n')
    drawing = claim(tmp_path / "bundle", "fibres", (64, 60, 48), 2)
    draw(tmp_path / "bundle", drawing, lambda _: None)
    drawn = draw_fibres((64, 60, 48), (0, 0, 0), (64, 60, 48), 2)
    assert np.array_equal(tifffile.imread(tmp_path / "bundle" / "ct.tif"), drawn.image.T)
    assert np.array_equal(np.load(tmp_path / "bundle" / "truth.npy"), drawn.truth.T)


def test_a_segmentation_becomes_a_layer_of_few_files(tmp_path: Path) -> None:
    size = (64, 64, 48)
    truth = draw_neurites(size, (0, 0, 0), size, seed=2).truth
    make_layer(
        tmp_path / "labels",
        np.asfortranarray(truth[..., None]),
        type="segmentation",
        resolution=(16, 16, 40),
        offset=(0, 0, 0),
    )
    before = files_of(str(tmp_path / "labels"))
    shutil.copy(CHECKOUT / "examples" / "segmentation_to_meshes.toml", tmp_path)

    ran = teravox_in(tmp_path, "run", "segmentation_to_meshes.toml", "--quiet", "--set", "num_mips=1")

    assert ran.returncode == 0, ran.stderr
    assert files_of(str(tmp_path / "labels")) == before
    volume = CloudVolume(f"file://{tmp_path / 'brain' / 'seg'}", progress=False)
    assert np.array_equal(np.asarray(volume[:])[..., 0], truth)
    assert [scale.get("sharding") is not None for scale in volume.info["scales"]] == [True, True]
    largest = int(np.bincount(truth.ravel()).argmax())
    assert len(volume.mesh.get(largest)[largest].faces) > 100
    assert len(volume.skeleton.get(largest).vertices) > 1
    assert largest in volume.mesh.spatial_index.query(volume.bounds * volume.resolution)
