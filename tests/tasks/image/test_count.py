"""`image count` and `image count-merge` on real layers, against NumPy on the whole volume."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, files_of, make_layer, voxels
from memory_alone import measure_memory
from real_volumes import real

from teravox.cli.main import main
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.label_tables import merge as merging
from teravox.pipeline.label_tables import parquet, segment_properties
from teravox.pipeline.label_tables.plan import open_counts, plan_merge
from teravox.pipeline.label_tables.sums import LabelSums
from teravox.pipeline.label_tables.table import LabelTable
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.sorted_rows.file import RowsFile, encode_rows
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.tally import TALLY
from teravox.tasks.image import count as count_file
from teravox.tasks.image.count import Count
from teravox.tasks.image.count_merge import CountMerge

Row = tuple[int, int, Vec, Vec, tuple[float, float, float]]
FOLDER = "stats/voxels/4_4_40"


def expected(array: Array, offset: Vec) -> dict[int, Row]:
    """The table of a whole array, label by label."""
    rows = {}
    for label in np.unique(array).tolist():
        places = np.argwhere(array[..., 0] == label) + offset
        low, high = places.min(axis=0).tolist(), (places.max(axis=0) + 1).tolist()
        rows[label] = (label, len(places), tuple(low), tuple(high), tuple(places.mean(axis=0).tolist()))
    return rows


def table_of(path: str, bounds: Box | None = None) -> dict[int, Row]:
    rows = {}
    for group in LabelTable.open(Layer.open(path), 0, bounds).groups():
        for row in zip(*(column.tolist() for column in group.values()), strict=True):
            rows[row[0]] = (row[0], row[1], tuple(row[2:5]), tuple(row[5:8]), tuple(row[8:11]))
    return rows


def is_same(found: dict[int, Row], rows: dict[int, Row]) -> bool:
    return list(found) == list(rows) and all(
        found[label][:4] == rows[label][:4] and np.allclose(found[label][4], rows[label][4]) for label in rows
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(1, 25)] * 3),
    offset=st.tuples(*[st.integers(-40, 40)] * 3),
    chunk=st.tuples(*[st.integers(2, 9)] * 3),
    shape=st.none() | st.tuples(*[st.integers(3, 20)] * 3),
    dtype=st.sampled_from(["uint8", "uint16", "uint32", "uint64", "int32"]),
    labels=st.integers(1, 60),
    bounds=st.none() | st.tuples(*[st.tuples(st.integers(0, 24), st.integers(1, 25))] * 3),
    random=st.randoms(use_true_random=True),
)
def test_pieces_count_what_the_whole_volume_has(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    shape: Vec | None,
    dtype: str,
    labels: int,
    bounds: Any,
    random: Any,
) -> None:
    array = voxels(size, dtype, labels=labels)
    path = make_layer(tmp_path_factory.mktemp("layer"), array, chunk=chunk, offset=offset, compress=False)
    box, part = None, array
    if bounds is not None:
        low = [min(a, n - 1) for (a, _), n in zip(bounds, size, strict=True)]
        high = [min(a + b, n) for a, (_, b), n in zip(low, bounds, size, strict=True)]
        part = array[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
        box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).shift(offset)
    job = Count(path, shape=shape, bounds=box)
    job.prepare()
    pieces = list(job.pieces())
    for piece in random.sample(pieces * 2, 2 * len(pieces)):
        job.run(piece)
    job.finish()
    corner = offset if box is None else box.min
    rows = expected(part, corner)
    assert is_same(table_of(path, box), rows)
    table = LabelTable.open(Layer.open(path), 0, box)
    asked = np.array([*rows, 61, 2**64 - 1, *rows], np.uint64)
    sizes = [row[1] for row in rows.values()]
    assert table.voxels(asked).tolist() == [*sizes, 0, 0, *sizes]
    for least in (1, 5, sizes[0], 10**6):
        assert table.at_least(least).tolist() == [label for label, row in rows.items() if row[1] >= least and label]
    assert table.index.labels == len(set(rows) - {0})
    assert table.index.bounds == (box or Layer.open(path).bounds(0))


@pytest.mark.parametrize("encoding", ["raw", "compressed_segmentation", "compresso", "crackle"])
def test_any_encoding_is_counted(tmp_path: Path, encoding: str) -> None:
    array = voxels((30, 20, 10), "uint64", labels=30) << np.uint64(33)
    path = make_layer(tmp_path, array, encoding=encoding, type="segmentation", offset=(5, -6, 7))
    do(Count(path))
    assert is_same(table_of(path), expected(array, (5, -6, 7)))


def test_a_sharded_layer_is_counted(tmp_path: Path) -> None:
    from teravox.pipeline.layers.info import encode_info
    from teravox.pipeline.layers.new_layer import shard_scale

    array = voxels((40, 33, 17), "uint32", labels=50)
    raw = Layer.open(make_layer(tmp_path / "files", array, type="segmentation")).raw
    raw["scales"][0] = shard_scale(raw["scales"][0], voxel_bytes=4, most_bytes=16_000, packing="gzip")
    store = open_store(str(tmp_path / "shards"))
    store.put("info", encode_info(raw))
    layer = Layer.open(store.url)
    layer.write(layer.bounds(0), 0, array)
    do(Count(store.url, shape=(16, 16, 16)))
    assert is_same(table_of(store.url), expected(array, (0, 0, 0)))


def test_a_higher_mip_has_a_table_of_its_own(tmp_path: Path) -> None:
    from teravox.tasks.image.downsample import Downsample

    path = make_layer(tmp_path, voxels((32, 32, 8), "uint32", labels=9), type="segmentation")
    made = Downsample(path, num_mips=1)
    made.prepare()
    made.run(made.pieces()[0])
    do(Count(path))
    do(Count(path, mip=1))
    layer = Layer.open(path)
    sizes = [sum(int(g["voxels"].sum()) for g in LabelTable.open(layer, mip).groups()) for mip in (0, 1)]
    assert sizes == [32 * 32 * 8, 16 * 16 * 8]


def test_running_again_changes_no_byte(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((40, 40, 9), "uint32", labels=40), type="segmentation")
    job = Count(path, shape=(16, 16, 8), segment_properties=True)
    do(job)
    before = {key: data for key, data in files_of(path).items() if key != "provenance"}
    do(job)
    assert {key: data for key, data in files_of(path).items() if key != "provenance"} == before


def test_outputs_are_what_a_piece_leaves(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((40, 40, 9), "uint32", labels=40), offset=(3, 4, 5))
    job = Count(path, shape=(16, 16, 8))
    for piece in job.pieces():
        TALLY.begin(job.home())
        job.run(piece)
        assert set(TALLY.end().outputs) == set(job.outputs(piece))


def test_what_was_counted_is_removed_when_the_table_has_it(tmp_path: Path) -> None:
    array = voxels((40, 40, 9), "uint32", labels=40)
    path, output = make_layer(tmp_path / "seg", array), tmp_path / "sizes.csv"
    words = ["image", "count", path, "--shape", "16,16,8", "-o", str(output), "--quiet"]
    assert main([*words, "--queue", str(tmp_path / "q")]) == 0
    assert main(["execute", str(tmp_path / "q"), "--exit-on-empty", "--quiet"]) == 0
    before, table = files_of(path), output.read_text()
    assert not Path(path, FOLDER, "counts").exists()
    assert is_same(table_of(path), expected(array, (0, 0, 0)))
    job = Count(path, shape=(16, 16, 8))
    assert [job.outputs(piece) for piece in job.pieces()] == [[]] * len(job.pieces())
    job.finish()
    for more in (["--resume"], ["--queue", str(tmp_path / "q")], []):
        output.unlink()
        assert main([*words, *more]) == 0
        assert output.read_text() == table
        assert {key for key in files_of(path) if not key.startswith("ledger/")} == {
            key for key in before if not key.startswith("ledger/")
        }


def test_a_box_that_is_counted_anew_needs_the_others_too(tmp_path: Path) -> None:
    path = make_layer(tmp_path, np.ones((32, 16, 8, 1), np.uint32, order="F"))
    job = Count(path, shape=(16, 16, 8))
    do(job)
    layer = Layer.open(path)
    layer.write(layer.bounds(0), 0, np.full((32, 16, 8, 1), 2, np.uint32, order="F"))
    job.prepare()
    first, last = job.pieces()
    job.run(last)
    with pytest.raises(BadInput, match=r"0-16_0-16_0-8.rows cannot be read: it is missing. Not every box was counted"):
        job.finish()
    assert list(table_of(path)) == [1]
    job.run(first)
    job.finish()
    assert list(table_of(path)) == [2]
    job.run(first)  # a late repeat
    assert list(table_of(path)) == [2]


def test_several_workers_may_merge_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = voxels((40, 40, 9), "uint32", labels=40)
    path = make_layer(tmp_path, array)
    job = Count(path, shape=(16, 16, 8))
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    opener = "teravox.pipeline.label_tables.merge.open_counts"
    others = 0

    def be_late(*args: Any) -> Any:
        nonlocal others
        others += 1
        monkeypatch.setattr(opener, open_counts)
        job.finish()
        return open_counts(*args)

    monkeypatch.setattr(opener, be_late)
    job.finish()
    assert others == 1
    assert is_same(table_of(path), expected(array, (0, 0, 0)))


def test_data_that_have_changed_are_counted_anew(tmp_path: Path) -> None:
    path = make_layer(tmp_path, np.ones((16, 16, 8, 1), np.uint32, order="F"))
    do(Count(path))
    first = {key for key in files_of(path) if "/parts/" in key}
    layer = Layer.open(path)
    layer.write(layer.bounds(0), 0, np.full((16, 16, 8, 1), 2, np.uint32, order="F"))
    job = Count(path)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    assert list(table_of(path)) == [1]  # the old table stays until the new one is whole
    job.finish()
    assert list(table_of(path)) == [2]
    assert not first & set(files_of(path))
    assert len(list(Path(path, FOLDER, "parts").iterdir())) == 1


def test_many_ranges_make_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = voxels((40, 40, 20), "uint32", labels=400)
    path = make_layer(tmp_path, array, type="segmentation")
    monkeypatch.setattr(merging, "room_for_merge", lambda memory: 300)
    monkeypatch.setattr(count_file, "RANGES", 100)
    monkeypatch.setattr(merging, "GROUP", 7)
    do(Count(path, shape=(16, 16, 8)))
    table = LabelTable.open(Layer.open(path), 0)
    assert len({group.file for group in table.index.groups}) > 5
    assert is_same(table_of(path), expected(array, (0, 0, 0)))
    asked = np.random.default_rng(0).integers(0, 500, 300).astype(np.uint64)
    sizes = expected(array, (0, 0, 0))
    assert table.voxels(asked).tolist() == [sizes[n][1] if n in sizes else 0 for n in asked.tolist()]


def test_what_is_too_much_for_the_end_of_a_count_is_merged_as_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    array = voxels((40, 40, 20), "uint32", labels=400)
    path = make_layer(tmp_path / "seg", array, type="segmentation")
    monkeypatch.setattr(merging, "room_for_merge", lambda memory: 300)
    monkeypatch.setattr(count_file, "RANGES", 2)
    output = str(tmp_path / "table.csv")
    counted = Count(path, shape=(16, 16, 8), output=output, segment_properties=True)
    do(counted)
    assert f"teravox image count-merge {path} --mip 0 --output {output} --segment-properties" in caplog.text
    assert "teravox image count-merge" in counted.report()
    with pytest.raises(BadInput, match="have not been counted"):
        table_of(path)
    job = CountMerge(path, output=output, segment_properties=True)
    job.prepare()
    pieces = list(job.pieces())
    assert len(pieces) > 5
    assert [piece.first for piece in pieces[1:]] == [piece.last + 1 for piece in pieces[:-1]]
    assert (pieces[0].first, pieces[-1].last) == (0, 2**64 - 1)
    job.prepare()
    assert list(job.pieces()) == pieces
    for piece in [*pieces[::-1], pieces[0]]:
        TALLY.begin(path)
        job.run(piece)
        assert set(TALLY.end().outputs) == set(job.outputs(piece))
    job.finish()
    assert is_same(table_of(path), expected(array, (0, 0, 0)))
    assert "400 labels" in job.report() or f"{len(expected(array, (0, 0, 0))) - 1} labels" in job.report()
    assert len(Path(output).read_text().splitlines()) == 1 + len(expected(array, (0, 0, 0)))
    before = {key: data for key, data in files_of(path).items() if key != "provenance"}
    assert not [key for key in before if "/counts/" in key]
    do(job)
    counted.finish()
    assert counted.report() == job.report()
    assert {key: data for key, data in files_of(path).items() if key != "provenance"} == before


def test_ranges_that_were_planned_anew_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_layer(tmp_path, voxels((40, 40, 20), "uint32", labels=400), type="segmentation")
    monkeypatch.setattr(count_file, "RANGES", 0)
    do(Count(path))
    job = CountMerge(path)
    job.prepare()
    old = job.pieces()[0]
    monkeypatch.setattr(merging, "room_for_merge", lambda memory: 300)
    job.prepare()
    with pytest.raises(BadInput, match="has a newer one"):
        job.run(old)
    with pytest.raises(BadInput, match=r"00000.json is missing, so the table is not complete"):
        job.finish()


def test_merging_before_counting_is_refused(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint32"))
    with pytest.raises(BadInput, match="run image count first"):
        CountMerge(path).prepare()


def test_a_box_that_was_not_counted_is_named(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((32, 16, 8), "uint32", labels=9))
    job = Count(path, shape=(16, 16, 8))
    job.prepare()
    job.run(job.pieces()[0])
    with pytest.raises(
        BadInput, match=r"counts/16x16x8/16-32_0-16_0-8.rows cannot be read: it is missing. Not every box was counted"
    ):
        job.finish()


def counted(tmp_path: Path, labels: int = 2000) -> tuple[Count, Path]:
    random = np.random.default_rng(0).integers(0, labels, (32, 32, 16, 1)).astype(np.uint32, order="F")
    path = make_layer(tmp_path, random, chunk=(16, 16, 16), type="segmentation")
    job = Count(path)
    job.prepare()
    job.run(job.pieces()[0])
    return job, tmp_path / job.outputs(job.pieces()[0])[0]


@pytest.mark.parametrize("size", [0, 3, 31, 33, 300, 1000, 50_000])
def test_counts_that_are_cut_off_are_named(tmp_path: Path, size: int) -> None:
    job, file = counted(tmp_path)
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(BadInput, match=r"16.rows cannot be read: .* run image count again"):
        job.finish()


@pytest.mark.parametrize("place", [0, 40, 400, 10_000, -1])
def test_counts_with_a_flipped_bit_are_named(tmp_path: Path, place: int) -> None:
    job, file = counted(tmp_path)
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    with pytest.raises(BadInput, match=r"16.rows cannot be read"):
        job.finish()


def test_a_table_that_is_cut_off_is_named(tmp_path: Path) -> None:
    job, _ = counted(tmp_path)
    job.finish()
    (part,) = tmp_path.glob("stats/voxels/*/parts/*/*.parquet")
    part.write_bytes(part.read_bytes()[:500])
    with pytest.raises(BadInput, match=r"parquet cannot be read"):
        table_of(str(tmp_path))


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 5000), low=st.integers(0, 6000), width=st.integers(0, 3000))
def test_a_range_of_rows_is_read_alone(rows: int, low: int, width: int) -> None:
    from teravox.kernels.label_table import ROW

    store = open_store("mem://rows/range")
    table = np.zeros(rows, ROW)
    table["label"] = np.arange(rows) + 100
    store.put("a.rows", encode_rows(table))
    file = RowsFile.open(store, "a.rows", "")
    assert file.rows == rows
    found = file.read(low, low + width, ROW)["label"].tolist()
    assert found == [n for n in range(100, 100 + rows) if low <= n <= low + width]


def test_ranges_hold_about_as_much_as_they_should(tmp_path: Path) -> None:
    from teravox.kernels.label_table import ROW
    from teravox.pipeline.label_tables.plan import Counts

    array = np.random.default_rng(0).integers(0, 5000, (64, 64, 16, 1)).astype(np.uint32, order="F")
    path = make_layer(tmp_path, array, chunk=(16, 16, 16), type="segmentation")
    job = Count(path, shape=(32, 32, 16))
    for piece in job.pieces():
        job.run(piece)
    layer = Layer.open(path)
    counts = Counts(0, layer.bounds(0), layer.bounds(0), (32, 32, 16))
    plan = plan_merge(layer.store, FOLDER, counts, 4000)
    files = [RowsFile.open(layer.store, key, "") for key in counts.keys(FOLDER)]
    sizes = [sum(len(file.read(r.first, r.last, ROW)) for file in files) for r in plan.ranges]
    assert sum(sizes) == plan.rows
    assert max(sizes) < 2000
    assert len(plan.ranges) >= plan.rows // 1000


def test_sums_stay_within_their_room() -> None:
    from teravox.kernels.label_table import ROW

    def rows(first: int, count: int) -> Any:
        table = np.zeros(count, ROW)
        table["label"] = np.arange(first, first + count)
        table["voxels"] = 1
        return table

    sums = LabelSums(100, "here")
    for _ in range(50):
        sums.add(rows(0, 40))
    assert sums.rows()["voxels"].tolist() == [50] * 40
    sums.add(rows(40, 20))
    with pytest.raises(BadInput, match="here has more than 50 labels, which --memory does not allow"):
        sums.add(rows(60, 60))


def test_more_labels_than_memory_allows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from teravox.pipeline.label_tables import counting

    path = make_layer(tmp_path, np.arange(4096, dtype=np.uint32).reshape((16, 16, 16, 1), order="F"))
    job = Count(path)
    monkeypatch.setattr(counting, "_rooms", lambda *_: (100, 1000))
    with pytest.raises(BadInput, match=r"chunk .* has more than 100 labels, which --memory does not allow"):
        job.run(job.pieces()[0])


def is_at_end(low: Vec, high: Vec, ends: tuple[int, ...]) -> int:
    return int(any(a == b for a, b in zip((*low, *high), ends, strict=True)))


def test_other_tools_read_the_parquet_file_and_the_csv(tmp_path: Path) -> None:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types

    array = voxels((30, 20, 10), "uint64", labels=30) << np.uint64(58)
    path = make_layer(tmp_path / "seg", array, type="segmentation", offset=(-5, 6, 7))
    for name in ("new/t.parquet", "t.csv"):
        do(Count(path, output=str(tmp_path / name)))
    rows = list(expected(array, (-5, 6, 7)).values())
    names = ["label", "voxels", "min_x", "min_y", "min_z", "max_x", "max_y", "max_z", "x", "y", "z"]
    names += ["radius", "at_border"]
    ends = (-5, 6, 7, 25, 26, 17)
    plain = [
        dict(zip(names, (a, b, *c, *d, *e, (b * 640 * 0.75 / np.pi) ** (1 / 3), is_at_end(c, d, ends)), strict=True))
        for a, b, c, d, e in rows
    ]
    (part,) = (tmp_path / "seg" / FOLDER / "parts").glob("*/*.parquet")
    for file in (tmp_path / "new/t.parquet", part):
        table = pq.read_table(file)
        assert table.schema.names == names
        assert [str(table.schema.field(n).type) for n in ("label", "min_x", "x")] == ["uint64", "int32", "double"]
        assert [{k: pytest.approx(v) for k, v in row.items()} for row in plain] == table.to_pylist()
    with (tmp_path / "t.csv").open() as lines:
        read = [
            {name: float(text) if name in {*"xyz", "radius"} else int(text) for name, text in row.items()}
            for row in csv.DictReader(lines)
        ]
    assert [{k: pytest.approx(v) for k, v in row.items()} for row in plain] == read
    assert sorted(os.listdir(tmp_path)) == ["new", "seg", "t.csv"]  # noqa: PTH208 - hidden ones, too


@settings(max_examples=20, deadline=None)
@given(groups=st.lists(st.integers(1, 300), max_size=20), seed=st.integers(0, 9))
def test_pyarrow_reads_any_number_of_row_groups(groups: list[int], seed: int) -> None:
    import io

    import pyarrow.parquet as pq

    random = np.random.default_rng(seed)
    data = bytearray()
    writer = parquet.ParquetWriter(data.extend, {"label": "<u8", "x": "<f8", "min_x": "<i4"})
    columns: list[dict[str, Any]] = []
    for rows in groups:
        columns.append(
            {
                "label": random.integers(0, 2**64, rows, np.uint64),
                "x": random.normal(size=rows),
                "min_x": random.integers(-(2**31), 2**31, rows).astype(np.int32),
            }
        )
        spans = writer.add(columns[-1])
        for name, type in (("label", "<u8"), ("x", "<f8"), ("min_x", "<i4")):
            packed = bytes(data[spans[name].start : spans[name].start + spans[name].size])
            assert np.array_equal(parquet.unpack(packed, type, rows), columns[-1][name])
    writer.close()
    file = pq.ParquetFile(io.BytesIO(bytes(data)))
    assert file.metadata.num_row_groups == len(groups)
    assert file.metadata.created_by.startswith("teravox")
    table = file.read()
    for name in ("label", "x", "min_x"):
        assert table[name].to_pylist() == [n for part in columns for n in part[name].tolist()]


def test_neuroglancer_finds_the_sizes_of_segments(tmp_path: Path) -> None:
    array = voxels((30, 20, 10), "uint64", labels=30) << np.uint64(58)
    path = make_layer(tmp_path, array, type="segmentation")
    do(Count(path, segment_properties=True))
    info = json.loads((tmp_path / "info").read_text())
    assert info["segment_properties"] == "segment_properties"
    properties = json.loads((tmp_path / "segment_properties/info").read_text())
    assert properties["@type"] == "neuroglancer_segment_properties"
    sizes, radii = properties["inline"]["properties"]
    assert (sizes["id"], sizes["type"], sizes["data_type"]) == ("voxels", "number", "uint32")
    assert (radii["id"], radii["type"], radii["data_type"]) == ("radius", "number", "float32")
    rows = expected(array, (0, 0, 0))
    assert properties["inline"]["ids"] == [str(label) for label in rows if label]
    assert sizes["values"] == [row[1] for label, row in rows.items() if label]


def test_of_too_many_segments_the_largest_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_properties, "MOST", 3)
    monkeypatch.setattr(merging, "GROUP", 2)
    array = np.repeat(np.array([0, 5, 6, 7, 8, 9], np.uint32), [50, 9, 2, 8, 9, 2])
    path = make_layer(tmp_path, array.reshape((10, 8, 1, 1), order="F"), type="segmentation")
    do(Count(path, segment_properties=True))
    inline = json.loads((tmp_path / "segment_properties/info").read_text())["inline"]
    assert (inline["ids"], inline["properties"][0]["values"]) == (["5", "7", "8"], [9, 8, 9])


def test_properties_of_others_are_kept(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint32", labels=3), type="segmentation")
    theirs = b'{"inline": {"ids": [], "properties": [{"id": "name", "type": "label"}]}}'
    (tmp_path / "names").mkdir()
    (tmp_path / "names/info").write_bytes(theirs)
    info = json.loads((tmp_path / "info").read_text()) | {"segment_properties": "names"}
    (tmp_path / "info").write_text(json.dumps(info))
    with pytest.raises(BadUsage, match="names holds properties that were not made by it"):
        Count(path, segment_properties=True).prepare()
    do(Count(path))
    assert (tmp_path / "names/info").read_bytes() == theirs


def test_missing_chunks_are_an_error_or_background(tmp_path: Path) -> None:
    path = make_layer(tmp_path, np.ones((32, 8, 8, 1), np.uint32, order="F"), offset=(8, 0, 0))
    (tmp_path / "4_4_40" / "16-24_0-8_0-8.gz").unlink()
    with pytest.raises(BadInput, match=r"16-24_0-8_0-8 .* is missing; pass --fill-missing"):
        do(Count(path))
    do(Count(path, fill_missing=True))
    rows = table_of(path)
    assert rows[0] == (0, 512, (16, 0, 0), (24, 8, 8), (19.5, 3.5, 3.5))
    assert rows[1][:4] == (1, 1536, (8, 0, 0), (40, 8, 8))


def test_labels_below_0_are_refused(tmp_path: Path) -> None:
    path = make_layer(tmp_path, np.full((8, 8, 8, 1), -3, np.int16, order="F"))
    with pytest.raises(BadInput, match="has labels below 0"):
        do(Count(path))


@pytest.mark.parametrize(
    ("dtype", "channels", "options", "words"),
    [
        ("float32", 1, {}, "holds float32, and labels are whole numbers"),
        ("uint8", 3, {}, "has 3 channels"),
        ("uint8", 1, {"shape": (0, 8, 8)}, "--shape"),
        ("uint8", 1, {"shape": (9000, 9000, 90)}, "--shape"),
        ("uint8", 1, {"bounds": Box((20, 0, 0), (30, 8, 8))}, "--bounds: .* lies outside"),
        ("uint8", 1, {"memory_limit": 1000}, "--memory"),
        ("uint8", 1, {"output": "table.txt"}, "--output: expected a file that ends in .csv or .parquet"),
        ("uint8", 1, {"output": "s3://bucket/table.csv"}, "--output: .* not on a file system"),
        ("uint8", 1, {"segment_properties": True}, "--segment-properties: .* is an image"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    tmp_path: Path, dtype: str, channels: int, options: dict[str, Any], words: str
) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), dtype, channels=channels))
    before = files_of(path)
    with pytest.raises(BadUsage, match=words):
        Count(path, **options).prepare()
    assert files_of(path) == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("labels", [200, 900_000])
def test_a_piece_needs_no_more_memory_than_it_says(tmp_path: Path, labels: int) -> None:
    random = np.random.default_rng(0)
    array = random.integers(0, labels, (96, 64, 64, 1)).astype(np.uint64, order="F")
    path = make_layer(tmp_path, array, chunk=(32, 32, 32), type="segmentation", compress=False)
    job = Count(path, memory_limit=4_000_000_000)
    (piece,) = job.pieces()
    assert measure_memory(job).peak <= job.memory(piece)
    assert Count(path).memory(piece) <= 1_000_000_000


@pytest.mark.parametrize("scheme", ["file://", ""])
def test_workers_write_the_table_only_where_they_are_allowed(tmp_path: Path, scheme: str) -> None:
    from teravox.pipeline.message import encode
    from teravox.pipeline.queues.memory import MemoryQueue
    from teravox.pipeline.worker.settings import WorkerSettings
    from teravox.pipeline.worker.supervisor import work

    path = make_layer(tmp_path / "seg", voxels((8, 8, 8), "uint32", labels=4))
    job = Count(path, output=f"{scheme}{tmp_path}/elsewhere.csv")
    queue = MemoryQueue(encode("image count", job, job.pieces()))
    outcome = work(queue, WorkerSettings(exit_on_empty=True, tries=1, allow=(f"file://{path}",), quiet=True))
    assert (outcome.done, outcome.failed) == (0, 1)
    (letter,) = queue.dead()
    assert "outside what --allow names" in letter.failures[-1].text


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_layer(tmp_path / "seg", voxels((40, 40, 9), "uint32", labels=40), type="segmentation")
    output = tmp_path / "sizes.csv"
    assert main(["image", "count", path, "-o", str(output), "--shape", "16,16,8"]) == 0
    out = capsys.readouterr().out
    assert f"39 labels in the table file://{path}/{FOLDER}/table.json." in out
    assert len(output.read_text().splitlines()) == 41
    assert "image count" in (tmp_path / "seg/provenance").read_text()


def test_a_real_segmentation_is_counted(tmp_path: Path) -> None:
    import fastremap

    data = np.load(real("dvidsparkservices/test_seg_ilastik_reference.npz"))
    array = np.asfortranarray(data[data.files[0]].reshape((*data[data.files[0]].shape[:3], 1)))
    path = make_layer(tmp_path, array, chunk=(64, 64, 64), type="segmentation", encoding="compressed_segmentation")
    do(Count(path, shape=(128, 128, 128)))
    labels, sizes = fastremap.unique(array, return_counts=True)
    table = table_of(path)
    assert list(table) == labels.tolist()
    assert [row[1] for row in table.values()] == sizes.tolist()
