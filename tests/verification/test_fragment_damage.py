"""Fragments that wait for a merge: what is missing or damaged is found, and earlier ones are no damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from meshes.forging import layer_of
from verification.objects import CELL, PIECE, forget_ledgers, make_meshes, make_skeletons, mend, small_parts, volume
from verification.recorded import do_recorded, findings, said, verified
from verification.repairing import Kept, contents, damage

from teravox.pipeline.meshes.fragments import SURFACES
from teravox.pipeline.objects.fragments import FragmentFile
from teravox.pipeline.objects.sort import MESH, SKELETON
from teravox.pipeline.skeletons.fragments import SKELETONS
from teravox.pipeline.storage.open import open_store

SORTS = ("mesh", "skeleton")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    """Layers with fragments, of which nothing was merged."""
    folder = tmp_path_factory.mktemp("fragments")
    made = {}
    for sort in SORTS:
        path = layer_of(folder / sort, volume())
        do_recorded(f"{sort} forge", layer=path, shape=PIECE)
        made[sort] = Kept(Path(path))
    return made


def files_in(layer: Path) -> list[Path]:
    return sorted(layer.glob("*.fragments/*/*.frags"))


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("how", ["delete", "cut", "empty", "flip"])
def test_a_damaged_piece_is_named_and_forged_again(kept: dict[str, Kept], sort: str, how: str) -> None:
    layer = kept[sort].put_back()
    assert findings(str(layer), checksums=True) == []
    key = str(files_in(layer)[5].relative_to(layer))
    damage(layer, key, how, 3)
    assert {finding.key for finding in findings(str(layer))} == {key}
    repaired = mend(layer)
    assert repaired.verified.is_sound
    assert repaired.tasks == 1
    assert contents(layer) == kept[sort].contents


@pytest.mark.parametrize("sort", SORTS)
def test_a_missing_piece_is_named_without_a_ledger(kept: dict[str, Kept], sort: str) -> None:
    layer = kept[sort].put_back()
    forget_ledgers(layer)
    assert findings(str(layer)) == []
    file = files_in(layer)[3]
    file.unlink()
    assert said(findings(str(layer))) == {("missing", str(file.relative_to(layer)))}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sort=st.sampled_from(SORTS), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_that_flipped_is_found_by_decoding_alone_or_changes_nothing(
    kept: dict[str, Kept], sort: str, place: float, bit: int
) -> None:
    layer = kept[sort].put_back()
    file = files_in(layer)[0]
    key = str(file.relative_to(layer))
    held = fragments_in(layer, key)
    data = bytearray(file.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    file.write_bytes(data)
    found = {finding.key for finding in findings(str(layer), "fragments")}
    assert found == {key} or (found == set() and fragments_in(layer, key) == held)


def fragments_in(layer: Path, key: str) -> list[tuple[int, bytes]]:
    """The labels of a piece, and what there is of each."""
    sort, form = (MESH, SURFACES) if key.startswith("mesh") else (SKELETON, SKELETONS)
    file = FragmentFile.open(open_store(str(layer)), key, sort)
    form_of: Any = form  # Any: of surfaces or of skeletons
    return [(label, bytes(form_of.pack(one))) for label, one in file.read(file.rows(), form_of)]


@pytest.mark.parametrize("sort", SORTS)
def test_a_lost_note_of_the_forge_is_written_again(kept: dict[str, Kept], sort: str) -> None:
    layer = kept[sort].put_back()
    (layer / f"{sort}.fragments/forged.json").unlink()
    assert said(findings(str(layer))) == {("incomplete", f"{sort}.fragments/forged.json")}
    assert mend(layer).verified.is_sound
    assert contents(layer) == kept[sort].contents
    (layer / f"{sort}.fragments/forged.json").write_text("{")
    assert said(findings(str(layer))) == {("invalid", f"{sort}.fragments/forged.json")}
    assert mend(layer).verified.is_sound
    assert contents(layer) == kept[sort].contents


def test_a_piece_that_was_done_and_is_gone_is_missing_before_the_forge_is_finished(tmp_path: Path) -> None:
    path = layer_of(tmp_path / "seg", volume())
    do_recorded("mesh forge", layer=path, shape=PIECE, leave_out=[7])
    gone = files_in(tmp_path / "seg")[2]
    gone.unlink()
    found = said(findings(path, "fragments"))
    assert found == {("missing", str(gone.relative_to(tmp_path / "seg")))}
    assert {finding.what for finding in findings(path)} == {"missing", "incomplete"}
    repaired = mend(Path(path))
    assert repaired.verified.is_sound, repaired
    assert repaired.tasks == 2


def test_a_piece_that_nobody_asked_for_is_named(kept: dict[str, Kept]) -> None:
    layer = kept["mesh"].put_back()
    file = files_in(layer)[0]
    (file.parent / "0-1_0-1_0-1.frags").write_bytes(file.read_bytes())
    assert [finding.what for finding in findings(str(layer))] == ["unlisted"]


def test_fragments_of_earlier_forges_are_counted_and_are_no_damage(kept: dict[str, Kept]) -> None:
    layer = kept["mesh"].put_back()
    do_recorded("mesh forge", layer=str(layer), shape=PIECE, cell=CELL)
    files_in(layer)[0].unlink()
    files_in(layer)[-1].unlink()
    found = verified(str(layer))
    assert len(found.findings) == 1  # only one of the two is of the last forge
    assert found.counts["folders of earlier fragments, which teravox mesh clean removes"] == 1
    do_recorded("mesh clean", layer=str(layer))
    assert findings(str(layer)) == []


def test_meshes_are_held_against_the_labels_of_their_fragments(tmp_path: Path) -> None:
    layer = Path(make_meshes(tmp_path / "seg", "multires"))
    assert findings(str(layer), "fragments") == []
    index = min(layer.glob("mesh/*.index"))
    index.rename(index.parent / "123456789.index")
    assert said(findings(str(layer), "fragments")) == {
        ("unlisted", "mesh/123456789.index")
    }  # the other is in the ledger
    for ledger in layer.glob("mesh/ledger/*/*.jsonl-gz"):
        ledger.unlink()
    assert said(findings(str(layer), "fragments")) == {
        ("missing", f"mesh/{index.name}"),
        ("unlisted", "mesh/123456789.index"),
    }


def test_skeletons_may_be_left_out_and_none_may_be_there_without_fragments(tmp_path: Path) -> None:
    layer = Path(make_skeletons(tmp_path / "seg", "legacy", min_cable_length=2500.0))
    assert findings(str(layer)) == []
    skeleton = min(layer.glob("skeleton/[0-9]*.gz"))
    skeleton.rename(skeleton.parent / "123456789.gz")
    assert said(findings(str(layer), "fragments")) == {("unlisted", "skeleton/123456789")}


@pytest.mark.parametrize("sort", SORTS)
def test_a_merge_that_was_not_finished_is_named_and_finished(kept: dict[str, Kept], sort: str) -> None:
    layer = kept[sort].put_back()
    with small_parts():
        do_recorded(f"{sort} merge", layer=str(layer), leave_out=[1])
    (found,) = findings(str(layer))
    assert (found.what, found.key.startswith(f"{sort}/ledger/")) == ("incomplete", True)
    assert mend(layer).verified.is_sound
    merged = contents(layer)
    kept[sort].put_back()
    with small_parts():
        do_recorded(f"{sort} merge", layer=str(layer))
    assert {name for name in contents(layer) if contents(layer)[name] != merged.get(name)} <= {"provenance"}
    (plan,) = layer.glob("*.fragments/*/merge-*.json")
    plan.write_text("{")
    assert said(findings(str(layer))) == {("invalid", str(plan.relative_to(layer)))}
