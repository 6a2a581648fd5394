"""Tables and what describes a layer: what is damaged is found and named, and repaired to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any  # a file's JSON

import pytest
from layers.make import make_layer, voxels
from verification.recorded import do_recorded, findings, said, verified
from verification.repairing import Kept, contents, repair

STATS = "stats/voxels/4_4_40"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Labels with a table, sizes for Neuroglancer, a mip, and boxes of what is not empty."""
    folder = tmp_path_factory.mktemp("tables")
    source = make_layer(folder / "src", voxels((32, 24, 8), "uint32", labels=40), type="segmentation")
    layer = str(folder / "layer")
    do_recorded("image transfer", source=source, dest=layer)
    do_recorded("image downsample", layer=layer, num_mips=1)
    do_recorded("image count", layer=layer, segment_properties=True, shape=(16, 24, 8))
    do_recorded("image roi", layer=layer, suppress_faint=0.0)
    return Kept(Path(layer))


def parquet(layer: Path) -> Path:
    (file,) = layer.glob(f"{STATS}/parts/*/*.parquet")
    return file


def rewrite(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.loads(file.read_text())
    change(raw)
    file.write_text(json.dumps(raw))


def change_labels(layer: Path) -> None:
    """Turn a bit where the labels of the table lie."""
    (group,) = json.loads((layer / STATS / "table.json").read_text())["groups"]
    start, size = group["columns"]["label"]
    data = bytearray(parquet(layer).read_bytes())
    data[start + size // 2] ^= 16
    parquet(layer).write_bytes(bytes(data))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "table cut": (lambda layer: (layer / STATS / "table.json").write_text("{"), f"{STATS}/table.json"),
    "table gone": (lambda layer: (layer / STATS / "table.json").unlink(), f"{STATS}/table.json"),
    "labels miscounted": (
        lambda layer: rewrite(layer / STATS / "table.json", lambda raw: raw.update(labels=7)),
        f"{STATS}/table.json",
    ),
    "rows gone": (lambda layer: parquet(layer).unlink(), ".parquet"),
    "rows damaged": (change_labels, ".parquet"),
    "rows cut": (lambda layer: parquet(layer).write_bytes(parquet(layer).read_bytes()[:300]), ".parquet"),
    "mark gone": (lambda layer: (layer / STATS / "merged.json").unlink(), ".rows"),
    "properties cut": (lambda layer: (layer / "segment_properties/info").write_text('{"inline'), "segment_properties/info"),
    "properties gone": (lambda layer: (layer / "segment_properties/info").unlink(), "segment_properties/info"),
    "regions gone": (lambda layer: (layer / "stats/rois/8_8_40.json").unlink(), "stats/rois/8_8_40.json"),
    "regions cut": (lambda layer: (layer / "stats/rois/8_8_40.json").write_text("["), "stats/rois/8_8_40.json"),
    "info cut": (lambda layer: (layer / "info").write_bytes((layer / "info").read_bytes()[:200]), "info"),
    "info gone": (lambda layer: (layer / "info").unlink(), "info"),
}  # fmt: skip


def test_sound_tables_have_no_findings(kept: Kept) -> None:
    found = verified(str(kept.put_back()))
    assert found.findings == ()
    assert found.counts["tables"] == 3


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_tables_are_named_and_made_again_to_the_byte(kept: Kept, damage: str) -> None:
    layer = kept.put_back()
    change, key = DAMAGES[damage]
    change(layer)
    found = findings(str(layer))
    assert found
    assert all(finding.key.endswith(key) for finding in found)
    repaired = repair(str(layer))
    assert repaired.verified.is_sound, repaired
    assert contents(layer) == kept.contents


def test_properties_and_tables_that_do_not_add_up_are_wrong(kept: Kept) -> None:
    layer = kept.put_back()

    def shorten(raw: dict[str, Any]) -> None:
        raw["inline"]["properties"][0]["values"].pop()
        raw["inline"]["ids"][0] = raw["inline"]["ids"][1]

    rewrite(layer / "segment_properties/info", shorten)
    rewrite(layer / STATS / "table.json", lambda raw: raw["bounds"]["max"].reverse())
    rewrite(layer / STATS / "table.json", lambda raw: raw["bounds"].update(min=[0, 0, 1]))
    told = {(finding.what, finding.sentence) for finding in findings(str(layer))}
    assert ("wrong", "it tells of a segment more than once") in told
    assert ("wrong", "its property voxels has 38 values for 39 segments") in told
    assert ("wrong", "its labels have 6,144 voxels together, and what was counted has 5,952") in told


def test_an_info_that_contradicts_itself_is_invalid(tmp_path: Path) -> None:
    layer = make_layer(tmp_path / "layer", voxels((16, 16, 8), "uint16"), type="segmentation")
    info = json.loads(Path(layer, "info").read_text())
    scale = info["scales"][0]
    info["scales"] += [scale, {**scale, "key": "a", "encoding": "png"}, {**scale, "key": "b", "encoding": "nonsense"}]
    info["scales"].append({**scale, "key": "c", "sharding": {"@type": "nonsense"}})
    info |= {"mesh": "mesh", "skeletons": "skeletons"}
    Path(layer, "info").write_text(json.dumps(info))
    Path(layer, "provenance").write_text("{")
    found = findings(layer, "info")
    assert said(found) == {
        ("invalid", "info"),
        ("invalid", "provenance"),
        ("missing", "mesh"),
        ("missing", "skeletons"),
    }
    told = " ".join(finding.sentence for finding in found)
    for words in (
        "several mips have the key 4_4_40",
        "mip 2 is encoded as png",
        "mip 3 is encoded as 'nonsense'",
        "mip 4",
    ):
        assert words in told


def test_levels_and_reports_are_read(tmp_path: Path) -> None:
    layer = make_layer(tmp_path / "grey", voxels((16, 16, 8), "uint8"))
    do_recorded("image contrast histogram", layer=layer, mip=0)
    assert verified(layer).is_sound
    file = next(Path(layer, "levels/0").iterdir())
    whole = file.read_bytes()
    file.write_text("{}")
    assert {finding.what for finding in findings(layer)} == {"undecodable", "truncated"}
    assert repair(layer).verified.is_sound
    assert file.read_bytes() == whole

    labels = make_layer(tmp_path / "labels", voxels((16, 16, 8), "uint32", labels=9), type="segmentation")
    dest = str(tmp_path / "report")
    do_recorded("evaluate count", a=labels, b=labels, dest=dest)
    for side in ("a", "b"):
        do_recorded("evaluate reduce", a=labels, b=labels, dest=dest, side=side)
    assert verified(str(tmp_path / "report")).is_sound
    (tmp_path / "report/worst_split.csv").write_bytes(b"")
    table = next((tmp_path / "report/bodies_a").iterdir())
    table.write_bytes(table.read_bytes()[:-1])
    (tmp_path / "report/ledger").rename(tmp_path / "ledger")  # as `evaluate` does without --keep
    assert said(findings(dest)) == {("wrong", "worst_split.csv"), ("truncated", f"bodies_a/{table.name}")}
    (tmp_path / "ledger").rename(tmp_path / "report/ledger")
    assert said(findings(dest)) >= {("wrong", "worst_split.csv"), ("truncated", f"bodies_a/{table.name}")}
    (tmp_path / "report/report.json").write_text("{")
    assert ("undecodable", "report.json") in said(findings(dest))
