"""`image count` with contacts, values of an image, radii and a histogram, against NumPy and scikit-image on the whole volume."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, files_of, make_layer, voxels
from numpy.typing import NDArray
from skimage.measure import regionprops_table

from teravox.cli.main import main
from teravox.kernels.label_contacts import count_contacts, count_partners, merge
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.label_tables import measuring
from teravox.pipeline.label_tables import merge as merging
from teravox.pipeline.label_tables.table import CONTACTS, LabelTable
from teravox.pipeline.layers.layer import Layer
from teravox.tasks.image import count as count_file
from teravox.tasks.image.count import Count
from teravox.tasks.image.count_merge import CountMerge

RESOLUTION = (4.0, 4.0, 40.0)
Faces = dict[tuple[int, int], list[int]]


def faces_of(array: NDArray[Any]) -> Faces:
    """The faces between each two labels across x, y and z, one by one."""
    found: Counter[tuple[int, int, int]] = Counter()
    for axis in range(3):
        turned = np.moveaxis(array, axis, 0)
        for one, other in zip(turned[:-1].ravel().tolist(), turned[1:].ravel().tolist(), strict=True):
            if one and other and one != other:
                found[min(one, other), max(one, other), axis] += 1
    return {(one, other): [found[one, other, axis] for axis in range(3)] for one, other, _ in found}


def partners_of(faces: Faces) -> Counter[int]:
    return Counter(label for pair in faces for label in pair)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return list(csv.DictReader(lines))


@settings(max_examples=15, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 9)] * 3),
    cut=st.integers(0, 9),
    labels=st.integers(1, 40),
    dtype=st.sampled_from(["uint8", "uint64"]),
)
def test_two_boxes_have_the_contacts_of_the_whole(size: Vec, cut: int, labels: int, dtype: str) -> None:
    array = np.asfortranarray(voxels(size, dtype, labels=labels)[..., 0])
    cut = min(cut, size[2])
    low, high = np.asfortranarray(array[:, :, : cut + 1]), np.asfortranarray(array[:, :, cut:])
    parts = [(low, (*size[:2], cut)), (high, high.shape)]
    found = merge(np.concatenate([count_contacts(part, owned, 10**6) for part, owned in parts]))
    faces = faces_of(array)

    assert {(int(a), int(b)): list(n) for a, b, n in found.tolist() if a < b} == faces
    assert {(int(b), int(a)): list(n) for a, b, n in found.tolist() if a > b} == faces
    every = np.unique(array)
    wanted = partners_of(faces)
    assert count_partners(found, every.astype(np.uint64)).tolist() == [wanted[label] for label in every.tolist()]


def test_more_contacts_than_there_is_room_for_are_none() -> None:
    array = np.asfortranarray(np.arange(1, 1001, dtype=np.uint32).reshape(10, 10, 10))
    assert count_contacts(array, array.shape, 100) is None
    found = count_contacts(array, array.shape, 10**6)
    assert found is not None
    assert len(found) == 2 * 2700


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(1, 20)] * 3),
    offset=st.tuples(*[st.integers(-40, 40)] * 3),
    shape=st.tuples(*[st.integers(3, 20)] * 3),
    kind=st.sampled_from(["uint8", "uint16", "float32"]),
    random=st.randoms(use_true_random=True),
)
def test_pieces_measure_what_the_whole_volume_has(
    tmp_path_factory: pytest.TempPathFactory, size: Vec, offset: Vec, shape: Vec, kind: str, random: Any
) -> None:
    folder = tmp_path_factory.mktemp("layers")
    array = voxels(size, "uint32", labels=20)
    gray = np.asfortranarray(np.random.default_rng(1).normal(100, 30, array.shape).clip(0, 250).astype(kind))
    made: dict[str, Any] = {"chunk": (7, 8, 9), "offset": offset, "compress": False, "resolution": RESOLUTION}
    path, image = make_layer(folder / "seg", array, **made), make_layer(folder / "gray", gray, **made)
    job = Count(path, shape=shape, values=image, contacts=str(folder / "c.csv"), output=str(folder / "t.csv"))

    do(job, lambda pieces: random.sample(pieces * 2, 2 * len(pieces)))

    faces = faces_of(array[..., 0])
    found = {
        (int(row["label"]), int(row["other"])): (int(row["faces"]), float(row["area"]))
        for row in rows_of(folder / "c.csv")
    }
    assert found == {pair: (sum(n), 160.0 * (n[0] + n[1]) + 16.0 * n[2]) for pair, n in faces.items()}
    rows = rows_of(folder / "t.csv")
    partners = partners_of(faces)
    assert [int(row["contacts"]) for row in rows] == [partners[int(row["label"])] for row in rows]
    props = ("label", "area", "intensity_min", "intensity_max", "intensity_mean", "intensity_std", "bbox")
    theirs = regionprops_table(array[..., 0].astype(np.int64) + 1, gray[..., 0].astype(float), properties=props)
    names = {"least": "intensity_min", "most": "intensity_max", "mean": "intensity_mean", "sd": "intensity_std"}
    for ours, name in names.items():
        assert [float(row[ours]) for row in rows] == pytest.approx(theirs[name].tolist(), abs=1e-3)
    radii = (np.array(theirs["area"]) * 640 * 3 / (4 * np.pi)) ** (1 / 3)
    assert [float(row["radius"]) for row in rows] == pytest.approx(radii.tolist())
    ends = [theirs[f"bbox-{axis}"] == 0 for axis in range(3) if size[axis] > 1]
    ends += [theirs[f"bbox-{axis + 3}"] == size[axis] for axis in range(3) if size[axis] > 1]
    assert [row["at_border"] for row in rows] == np.any([*ends, np.zeros(len(rows), bool)], 0).astype(int).astype(
        str
    ).tolist()


def layers(folder: Path) -> tuple[str, str, Array]:
    array = voxels((40, 30, 20), "uint32", labels=50)
    gray = np.asfortranarray(np.random.default_rng(1).integers(0, 60_000, array.shape).astype(np.uint16))
    made: dict[str, Any] = {"chunk": (16, 16, 8), "resolution": RESOLUTION}
    segmentation = make_layer(folder / "seg", array, type="segmentation", **made)
    return segmentation, make_layer(folder / "gray", gray, **made), array


def test_the_command_writes_tables_and_a_picture(tmp_path: Path) -> None:
    path, image, array = layers(tmp_path)
    words = ["image", "count", path, "--shape", "16,16,8", "--values", image, "--segment-properties", "--quiet"]
    words += ["--contacts", str(tmp_path / "c.parquet"), "-o", str(tmp_path / "t.parquet")]
    words += ["--histogram", str(tmp_path / "sizes.svg")]
    assert main([*words, "--queue", str(tmp_path / "q")]) == 0
    assert main(["execute", str(tmp_path / "q"), "--exit-on-empty", "--quiet"]) == 0

    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types

    faces = faces_of(array[..., 0])
    contacts = pq.read_table(tmp_path / "c.parquet").to_pylist()
    assert {(row["label"], row["other"]): row["faces"] for row in contacts} == {p: sum(n) for p, n in faces.items()}
    table = LabelTable.open(Layer.open(path), 0)
    assert list(table.index.columns)[-5:] == ["contacts", "least", "most", "mean", "sd"]
    assert [list(columns) for columns in table.contacts()] == [list(CONTACTS)]
    picture = ET.fromstring((tmp_path / "sizes.svg").read_text())
    told = [one.text or "" for one in picture.iter("{http://www.w3.org/2000/svg}title")]
    drawn = {float(text.split(": ")[0]): int(text.split(": ")[1].replace(",", "")) for text in told}
    sizes = np.unique(array, return_counts=True)[1][1:]
    radii = np.cbrt(sizes * 640 * 3 / (4 * np.pi))
    step = np.diff(sorted(drawn)).min()
    assert drawn == {n: int(((radii >= n) & (radii < n + step)).sum()) for n in drawn}
    assert sum(drawn.values()) == len(sizes)
    named = json.loads(Path(path, "segment_properties/info").read_text())["inline"]["properties"]
    assert [one["id"] for one in named] == ["voxels", "radius", "contacts", "mean", "most"]
    assert main(["verify", path, "--quiet"]) == 0
    (part,) = Path(path).glob("stats/voxels/*/parts/*/*.contacts.parquet")
    part.write_bytes(part.read_bytes()[:40])
    assert main(["verify", path, "--quiet"]) == 1
    part.unlink()
    assert main(["verify", path, "--quiet"]) == 1


def test_labels_that_are_cut_by_the_border_are_not_drawn_with_whole_ones(tmp_path: Path) -> None:
    array = np.zeros((20, 20, 20, 1), np.uint8, order="F")
    for number, (place, side) in enumerate([(0, 9), (2, 1), (5, 4), (12, 4)], 1):
        array[place : place + side, place : place + side, place : place + side] = number
    path = make_layer(tmp_path / "seg", array, type="segmentation", resolution=(10, 10, 10))
    assert main(["image", "count", path, "--histogram", str(tmp_path / "s.svg"), "--quiet"]) == 0

    drawn = (tmp_path / "s.svg").read_text()
    assert "radius in nm, from the number on by 1: 3 labels; 1 at the border are left out" in drawn
    assert [text for text in ("<title>6: 1<", "<title>24: 2<") if text in drawn] == ["<title>6: 1<", "<title>24: 2<"]


def test_running_again_and_with_less_changes_what_it_should(tmp_path: Path) -> None:
    path, image, _ = layers(tmp_path)
    job = Count(path, shape=(16, 16, 8), values=image, contacts=str(tmp_path / "c.csv"))
    do(job)
    before = {key: data for key, data in files_of(path).items() if key != "provenance"}
    assert not [key for key in before if "/counts/" in key]
    assert [job.outputs(piece) for piece in job.pieces()] == [[]] * len(job.pieces())
    do(job)
    assert {key: data for key, data in files_of(path).items() if key != "provenance"} == before
    do(Count(path, shape=(16, 16, 8)))
    table = LabelTable.open(Layer.open(path), 0)
    assert list(table.index.columns)[-1] == "at_border"
    assert (table.index.contacts, table.index.values) == (None, None)
    assert not [key for key in files_of(path) if "contacts" in key]


def test_contacts_are_merged_as_tasks_where_there_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, image, array = layers(tmp_path)
    at_once = tmp_path / "at-once.csv"
    do(Count(path, shape=(16, 16, 8), values=image, contacts=str(at_once), output=str(tmp_path / "t0.csv")))
    monkeypatch.setattr(merging, "room_for_merge", lambda memory: 6000)
    monkeypatch.setattr(count_file, "RANGES", 1)
    later = str(tmp_path / "later.csv")
    do(Count(path, shape=(16, 16, 8), values=image, contacts=later))
    assert f"teravox image count-merge {path} --mip 0 --contacts {later}" in caplog.text
    job = CountMerge(path, contacts=later, output=str(tmp_path / "t1.csv"))
    job.prepare()
    assert len(job.pieces()) > 2
    do(job)
    assert Path(later).read_bytes() == at_once.read_bytes()
    assert (tmp_path / "t1.csv").read_bytes() == (tmp_path / "t0.csv").read_bytes()
    assert len(at_once.read_text().splitlines()) == 1 + len(faces_of(array[..., 0]))
    monkeypatch.setattr(count_file, "RANGES", 0)
    do(Count(path))
    with pytest.raises(BadUsage, match="--contacts: no contacts were counted: run image count with --contacts"):
        CountMerge(path, contacts=later).prepare()


def test_what_cannot_be_measured_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, image, array = layers(tmp_path)
    small = make_layer(tmp_path / "small", array[:8].astype(np.uint8, order="F"), resolution=RESOLUTION)
    coarse = make_layer(tmp_path / "coarse", array.astype(np.uint8, order="F"), resolution=(8, 8, 40))
    two = make_layer(tmp_path / "two", np.repeat(array, 2, 3).astype(np.uint8, order="F"), resolution=RESOLUTION)
    refused: list[tuple[dict[str, Any], str]] = [
        (
            {"values": small},
            "--values: .* is 0,0,0:8,30,20, and what is counted is 0,0,0:40,30,20; say less with --bounds",
        ),
        ({"values": coarse}, "--values: .* has no mip with voxels of"),
        ({"values": two}, "--values: .* has 2 channels, and one is measured"),
        ({"contacts": "c.txt"}, "--contacts: expected a file that ends in .csv or .parquet, got c.txt"),
        ({"contacts": "s3://b/c.csv"}, "--contacts: s3://b/c.csv is not on a file system"),
        ({"histogram": "sizes.png"}, "--histogram: expected a file that ends in .svg, got sizes.png"),
        ({"histogram": "s3://b/s.svg"}, "--histogram: s3://b/s.svg is not on a file system"),
    ]
    for options, said in refused:
        with pytest.raises(BadUsage, match=said):
            Count(path, **options).prepare()
    assert not Path(path, "stats").exists()
    monkeypatch.setattr(measuring, "_rooms", lambda *_: (1000, 10))
    job = Count(path, contacts="c.csv")
    with pytest.raises(BadInput, match="more than 5 pairs of labels touch, which --memory does not allow"):
        job.run(job.pieces()[0])
    monkeypatch.setattr(measuring, "_rooms", lambda *_: (10, 10))
    with pytest.raises(BadInput, match="has more than 10 labels, which --memory does not allow"):
        job.run(job.pieces()[0])
    monkeypatch.setattr(measuring, "LEAST_LABELS", 10**7)
    with pytest.raises(BadUsage, match="are too little to count contacts or values in pieces of 40,30,20 voxels"):
        Count(path, values=image).prepare()
