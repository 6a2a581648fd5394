"""Centres as a layer of points: read by CloudVolume, and by a reader that follows the format's description."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cloudvolume.datasource.precomputed.annotation import PrecomputedAnnotationSource
from layers.make import files_of, make_layer
from msgspec import structs
from numpy.typing import NDArray

from teravox.cli.main import main
from teravox.pipeline.annotations.points import number_points, sharding_of
from teravox.pipeline.box import Box
from teravox.pipeline.centres import annotations as centre_annotations
from teravox.pipeline.errors import BadInput
from teravox.tasks.image.centres import Centres

OFFSET = (5, -9, 3)
SIZE = (30, 26, 20)
Array = NDArray[Any]  # of numbers


def rods(data_type: str = "uint32", large: int = 0) -> Array:
    """Rods of some voxels across, along z."""
    labels = np.zeros((*SIZE, 1), data_type, order="F")
    for number, (x, y) in enumerate((x, y) for x in range(1, 28, 5) for y in range(1, 24, 5)):
        labels[x : x + 3, y : y + 2 + number % 2, number % 4 :] = number + 1 + large
    return labels


def find(folder: Path, labels: Array | None = None, **options: Any) -> tuple[Path, list[dict[str, float]]]:
    """The layer of points of some labels, and the table of the same centres."""
    path = folder / "rods"
    if not path.exists():
        values = rods() if labels is None else labels
        make_layer(path, values, chunk=(16, 16, 8), offset=OFFSET, type="segmentation", resolution=(4, 5, 6))
    job = Centres(str(path), output=str(folder / "centres.csv"), annotations=True, **options)
    job.prepare()
    for piece in reversed(job.pieces()):
        job.run(piece)
        job.run(piece)
        assert set(job.outputs(piece)) <= set(files_of(str(path)))
    job.finish()
    job.finish()
    with (folder / "centres.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return path / f"stats/centres/4_5_6/{options.get('axis', 'z')}/points", rows


def wanted(rows: list[dict[str, float]]) -> list[tuple[float, ...]]:
    return sorted((row["x"] + 0.5, row["y"] + 0.5, row["z"] + 0.5, row["label"], row["area"]) for row in rows)


def read_points(folder: Path) -> dict[int, tuple[float, ...]]:
    """The points by their id, read from the cells of all levels as the format's description says."""
    info = json.loads((folder / "info").read_text())
    assert info["@type"] == "neuroglancer_annotations_v1"
    assert info["annotation_type"] == "POINT"
    record = np.dtype([("at", "<f4", 3), *((one["id"], "<u4") for one in info["properties"])])
    named = [one["id"] for one in info["properties"]]
    low, high = np.array(info["lower_bound"]), np.array(info["upper_bound"])
    found: dict[int, tuple[float, ...]] = {}
    for level in info["spatial"]:
        files = list((folder / level["key"]).iterdir())
        assert {file.name for file in files} == {"_".join(map(str, cell)) for cell in np.ndindex(*level["grid_shape"])}
        for file in files:
            data = file.read_bytes()
            number = int.from_bytes(data[:8], "little")
            points = np.frombuffer(data, record, number, 8)
            ids = np.frombuffer(data, "<u8", number, 8 + points.nbytes)
            assert len(data) == 8 + points.nbytes + ids.nbytes
            assert number <= level["limit"]
            cell = np.array([int(word) for word in file.name.split("_")])
            assert (np.floor((points["at"] - low) / level["chunk_size"]) == cell).all()
            assert ((points["at"] >= low) & (points["at"] < high)).all()
            for point, id in zip(points, ids.tolist(), strict=True):
                assert id not in found, "a point lies in one cell of one level"
                found[id] = (*point["at"].tolist(), *(int(point[name]) for name in named))
    return found


@pytest.mark.parametrize("options", [{}, {"slices": 3}, {"axis": "x"}, {"axis": "y", "slices": 7}])
def test_the_points_are_the_centres(tmp_path: Path, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centre_annotations, "OVERVIEW", 9)
    monkeypatch.setattr(centre_annotations, "CELL", 10)
    folder, rows = find(tmp_path, **options)
    assert len(rows) > 70
    np.testing.assert_allclose(sorted(read_points(folder).values()), wanted(rows), rtol=1e-6)


def test_cloudvolume_finds_them_by_place_and_by_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centre_annotations, "OVERVIEW", 9)
    folder, rows = find(tmp_path)
    theirs = PrecomputedAnnotationSource(f"precomputed://file://{folder}")
    levels = [theirs.get_all(mip=mip) for mip in (0, 1)]
    assert [len(level) for level in levels] == [27, len(rows) - 27]  # of three slabs
    found = [
        (*map(float, at), float(label), float(area))
        for level in levels
        for at, label, area in zip(level.geometry, level.properties["label"], level.properties["area"], strict=True)
    ]
    np.testing.assert_allclose(sorted(found), wanted(rows), rtol=1e-6)

    ours = read_points(folder)
    for id, one in theirs.get_by_id(list(ours)[::7]).items():
        said = (*one.geometry.ravel().tolist(), *(int(one.properties[name].item()) for name in ("label", "area")))
        assert said == ours[id]


def test_labels_of_64_bits_are_told_in_two_halves(tmp_path: Path) -> None:
    folder, rows = find(tmp_path, rods("uint64", 5 << 40))
    found = sorted((int(upper) << 32) + int(label) for *_, label, upper, _ in read_points(folder).values())
    with (tmp_path / "centres.csv").open() as file:
        assert found == sorted(int(row["label"]) for row in csv.DictReader(file))
    assert max(found) > 1 << 40
    assert len(found) == len(rows)


def test_the_same_points_come_of_every_run_and_others_are_removed(tmp_path: Path) -> None:
    folder, _ = find(tmp_path)
    first = files_of(str(folder))
    assert files_of(str(find(tmp_path)[0])) == first
    find(tmp_path, min_area=7)
    assert len({key.split("/")[0] for key in files_of(str(folder))} - {"info"}) == 1
    assert not set(first) - {"info"} & set(files_of(str(folder)))
    assert files_of(str(find(tmp_path)[0])) == first


def test_without_the_option_no_points_are_written_and_the_table_is_the_same(tmp_path: Path) -> None:
    folder, rows = find(tmp_path)
    job = Centres(str(tmp_path / "rods"))
    both = structs.replace(job, annotations=True)
    for piece in job.pieces():
        assert job.outputs(piece) == [key for key in both.outputs(piece) if "/points/" not in key]
    before = (folder / "info").stat().st_mtime_ns
    assert find_plain(job) == rows
    assert (folder / "info").stat().st_mtime_ns == before


def find_plain(job: Centres) -> list[dict[str, float]]:
    """The table of a job that writes no points."""
    output = f"{job.layer}.csv"
    told = structs.replace(job, output=output)
    told.prepare()
    for piece in told.pieces():
        told.run(piece)
    told.finish()
    with Path(output).open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_an_empty_slab_has_empty_cells(tmp_path: Path) -> None:
    labels = rods()
    labels[:, :, 5:] = 0
    folder, rows = find(tmp_path, labels)
    assert max(row["z"] for row in rows) < 8
    assert len(read_points(folder)) == len(rows)


def test_it_is_said_how_to_see_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_layer(tmp_path / "rods", rods(), chunk=(16, 16, 8), type="segmentation", resolution=(4, 5, 6))
    assert main(["image", "centres", path, "--annotations"]) == 0
    place = f"file://{path}/stats/centres/4_5_6/z/points"
    assert f"See them with: teravox view file://{path} {place}" in capsys.readouterr().out


def test_a_slab_that_is_missing_is_told(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "rods", rods(), chunk=(16, 16, 8), type="segmentation")
    job = Centres(path, annotations=True)
    for piece in job.pieces():
        job.run(piece)
    (next(Path(path).rglob("fullest")) / "000001.json").unlink()
    with pytest.raises(BadInput, match="Run image centres again"):
        job.finish()


def test_ids_spread_over_the_minishards_of_the_shard_of_their_part() -> None:
    for part in (0, 6):
        ids = number_points(part, 5000)
        shards, minishards = sharding_of(7).places(ids)
        assert set(shards.tolist()) == {part}
        assert set(np.bincount(minishards.astype(int)).tolist()) == {4, 5}
        assert len(set(ids.tolist())) == 5000


def test_points_count_in_the_memory_that_is_asked_for(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "rods", rods(), chunk=(16, 16, 8), type="segmentation")
    rooms = [Centres(path, annotations=with_points)._plan().room for with_points in (False, True)]
    assert rooms[1] < rooms[0]
    assert Centres(path, annotations=True, bounds=Box((0, 0, 0), (9, 9, 9))).pieces()
