"""Spatial indices: gaps, damage and what is not true is found, and repaired to the byte."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from verification.objects import CELL, edit_info, forget_ledgers, make_meshes, make_skeletons, mend, small_parts
from verification.recorded import findings, make_job, said
from verification.repairing import DAMAGES, Kept, contents, damage

Labels = dict[str, list[float]]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    folder = tmp_path_factory.mktemp("indices")
    return {
        "mesh": Kept(Path(make_meshes(folder / "mesh"))),
        "skeleton": Kept(Path(make_skeletons(folder / "skeleton"))),
    }


def cells_in(layer: Path, sort: str) -> list[str]:
    """The keys of an index."""
    return sorted(f"{sort}/{file.name.removesuffix('.gz')}" for file in (layer / sort).glob("*.spatial.gz"))


def edit(layer: Path, key: str, change: Callable[[Labels], Any]) -> None:  # Any: what a method of dictionaries gives
    said = json.loads(gzip.decompress((layer / f"{key}.gz").read_bytes()))
    change(said)
    (layer / f"{key}.gz").write_bytes(gzip.compress(json.dumps(said).encode()))


@pytest.mark.parametrize(("sort", "how"), [*(("mesh", how) for how in DAMAGES), ("skeleton", "delete")])
def test_a_damaged_cell_is_named_and_made_again(kept: dict[str, Kept], sort: str, how: str) -> None:
    layer = kept[sort].put_back()
    key = cells_in(layer, sort)[3]
    damage(layer, key, how, 5)
    found = findings(str(layer), checksums=True)
    assert {finding.key for finding in found} == {key}
    assert {finding.task.kind for finding in found if finding.task} == {f"{sort} index create"}
    assert mend(layer).verified.is_sound
    assert contents(layer) == kept[sort].contents


@pytest.mark.parametrize("sort", ["mesh", "skeleton"])
def test_gaps_are_named_without_a_ledger(kept: dict[str, Kept], sort: str) -> None:
    layer = kept[sort].put_back()
    forget_ledgers(layer)
    assert findings(str(layer)) == []
    for key in cells_in(layer, sort):
        (layer / f"{key}.gz").unlink()
        found = said(findings(str(layer), "spatial"))
        assert found == {("missing", key)}
        (layer / f"{key}.gz").write_bytes(kept[sort].contents[f"{key}.gz"])


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"7": [1, 2, 3]}', b'{"x": [1,2,3,4,5,6]}', b'{"99999999999999999999": [1,2,3,4,5,6]}']
)
def test_what_is_no_index_is_named(kept: dict[str, Kept], data: bytes) -> None:
    layer = kept["mesh"].put_back()
    key = cells_in(layer, "mesh")[0]
    (layer / f"{key}.gz").write_bytes(gzip.compress(data))
    assert said(findings(str(layer), "spatial")) == {("undecodable", key)}


def test_a_box_that_lies_elsewhere_is_named(kept: dict[str, Kept]) -> None:
    layer = kept["mesh"].put_back()
    one, other = cells_in(layer, "mesh")[:2]
    edit(layer, one, lambda said: said.update({next(iter(said)): [5, 5, 5, 4, 5, 6]}))
    edit(layer, other, lambda said: said.update({next(iter(said)): [0, 0, 0, 1e9, 1e9, 1e9]}))
    assert said(findings(str(layer), "spatial")) == {("wrong", one), ("wrong", other)}


def test_labels_are_held_against_those_that_have_a_mesh(kept: dict[str, Kept]) -> None:
    layer = kept["mesh"].put_back()
    labels = {label for key in cells_in(layer, "mesh") for label in _labels(layer, key)}
    label = min(labels)
    for key in cells_in(layer, "mesh"):
        edit(layer, key, lambda said: said.pop(label, None))
    edit(layer, cells_in(layer, "mesh")[0], lambda said: said.update({"31": next(iter(said.values()))}))
    found = {finding.what: finding.sentence for finding in findings(str(layer), "spatial")}
    assert sorted(found) == ["missing", "unlisted"]
    assert f"label {label}," in found["unlisted"]
    assert "label 31," in found["missing"]


def test_a_file_that_is_no_cell_is_named(kept: dict[str, Kept]) -> None:
    layer = kept["mesh"].put_back()
    for name in ("x.spatial", "0-1_0-1_0-1.spatial"):
        (layer / "mesh" / name).write_bytes(b"{}")
    assert said(findings(str(layer), "spatial")) == {
        ("unlisted", "mesh/x.spatial"),
        ("unlisted", "mesh/0-1_0-1_0-1.spatial"),
    }


def test_an_info_whose_index_cannot_be_is_named(kept: dict[str, Kept]) -> None:
    layer = kept["mesh"].put_back()
    for said_so in ({"resolution": [1, 1, 1]}, {"resolution": [1, 1, 1], "chunk_size": [1, 1, 1]}):
        edit_info(layer / "mesh/info", spatial_index=said_so)
        assert said(findings(str(layer), "spatial")) == {("invalid", "mesh/info")}


def test_an_index_that_the_info_forgot_is_named_again(kept: dict[str, Kept]) -> None:
    layer = kept["mesh"].put_back()
    info = json.loads((layer / "mesh/info").read_text())
    del info["spatial_index"]
    (layer / "mesh/info").write_text(json.dumps(info))
    assert said(findings(str(layer))) == {("incomplete", "mesh/info")}
    repaired = mend(layer)
    assert repaired.verified.is_sound
    assert repaired.tasks == 0
    assert "spatial_index" in (layer / "mesh/info").read_text()


@pytest.mark.parametrize("sort", ["mesh", "skeleton"])
def test_a_merge_that_is_prepared_again_keeps_the_index_in_the_info(kept: dict[str, Kept], sort: str) -> None:
    layer = kept[sort].put_back()
    options = {"min_chunk_size": CELL} if sort == "mesh" else {}
    with small_parts():
        make_job(f"{sort} merge", layer=str(layer), **options).prepare()
    assert (layer / sort / "info").read_bytes() == kept[sort].contents[f"{sort}/info"]


def _labels(layer: Path, key: str) -> list[str]:
    return list(json.loads(gzip.decompress((layer / f"{key}.gz").read_bytes())))
