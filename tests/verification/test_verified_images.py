"""Chunks in files of their own: what is damaged is found and named, and repaired to the byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import make_layer, voxels
from verification.recorded import do_recorded, findings, said, verified
from verification.repairing import DAMAGES, Kept, contents, damage, repair, swap

from teravox.pipeline.errors import Fatal
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.registry import Registry
from teravox.pipeline.verification import examiners
from teravox.pipeline.verification.chunk_names import ChunkGrid
from teravox.pipeline.verification.look import Closeness
from teravox.pipeline.verification.verify import Progress, open_look, verify

FORMS = {  # encoding, compression → the type of voxels
    ("raw", "gzip"): "uint8",
    ("raw", "none"): "uint16",
    ("png", "none"): "uint8",
    ("jpeg", "none"): "uint8",
    ("compressed_segmentation", "br"): "uint64",
}
MAY_CRASH = {
    ("compresso", "zstd"): "uint32",
    ("crackle", "none"): "uint32",
}  # a child decodes them, which takes its time
MIPS = ("4_4_40", "8_8_40")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Kept]:
    """A copy with one smaller mip in each form, of a source that is there."""
    made = {}
    for (encoding, compress), dtype in (FORMS | MAY_CRASH).items():
        folder = tmp_path_factory.mktemp(f"{encoding}-{compress}")
        is_labels = encoding in ("compressed_segmentation", "compresso", "crackle")
        array = voxels((28, 32, 14), dtype, labels=60 if is_labels else None)
        source = make_layer(folder / "src", array, chunk=(16, 16, 8), type="segmentation" if is_labels else "image")
        options: dict[str, Any] = {
            "source": source,
            "dest": str(folder / "layer"),
            "encoding": encoding,
            "compress": compress,
        }
        do_recorded("image transfer", **options, num_mips=1)
        made[encoding, compress] = Kept(folder / "layer")
    return made


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    form=st.sampled_from(sorted(FORMS)),
    how=st.sampled_from(DAMAGES),
    mip=st.sampled_from(MIPS),
    number=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_damage_to_any_chunk_is_named_and_repaired_to_the_byte(
    kept: dict[tuple[str, str], Kept], form: tuple[str, str], how: str, mip: str, number: int, seed: int
) -> None:
    check(kept[form], how, mip, number, seed)


@pytest.mark.parametrize(
    ("form", "how", "seed"), [(form, how, 1) for form, how in zip(MAY_CRASH, ("flip", "cut"), strict=True)]
)
def test_so_is_that_to_chunks_that_may_crash_whoever_decodes_them(
    kept: dict[tuple[str, str], Kept], form: tuple[str, str], how: str, seed: int
) -> None:
    check(kept[form], how, MIPS[0], 1, seed)


def check(kept: Kept, how: str, mip: str, number: int, seed: int) -> None:
    """Damage a chunk, and have it found and repaired."""
    layer = kept.put_back()
    keys = sorted({key.partition(".")[0] for key in kept.contents if key.startswith(mip)})
    damage(layer, keys[number % len(keys)], how, seed)

    found = verified(str(layer), sample=4, checksums=True)
    assert {finding.key for finding in found.findings} == {keys[number % len(keys)]}
    assert all(finding.task is not None for finding in found.findings)

    repaired = repair(str(layer), sample=4, checksums=True)
    assert repaired.verified.is_sound, repaired
    assert repaired.tasks == 1
    assert contents(layer) == kept.contents


@pytest.mark.parametrize("form", FORMS)
def test_a_sound_layer_has_no_findings(kept: dict[tuple[str, str], Kept], form: tuple[str, str]) -> None:
    found = verified(str(kept[form].put_back()), checksums=True)
    assert found.findings == ()
    chunks = len([key for key in kept[form].contents if key.startswith(MIPS)])
    assert found.counts["chunks"] == found.counts["chunks decoded"] == chunks
    assert (
        found.counts["sizes compared with the ledger"] == found.counts["checksums compared with the ledger"] == chunks
    )
    assert found.counts["places of mips made anew"] >= 1


@pytest.mark.parametrize("how", ["delete", "cut", "empty", "sibling"])
def test_what_names_and_sizes_tell_is_found_without_reading_a_chunk(
    kept: dict[tuple[str, str], Kept], how: str
) -> None:
    layer = kept["raw", "gzip"].put_back()
    damage(layer, "4_4_40/0-16_0-16_0-8", how, 5)
    words = {"delete": "missing", "cut": "truncated", "empty": "truncated", "sibling": "doubled"}
    assert said(findings(str(layer), sample=0)) == {(words[how], "4_4_40/0-16_0-16_0-8")}


def test_two_chunks_that_were_swapped_are_both_named(kept: dict[tuple[str, str], Kept]) -> None:
    layer = kept["raw", "none"].put_back()
    swap(layer, "4_4_40/0-16_0-16_0-8", "4_4_40/0-16_16-32_0-8")
    assert said(findings(str(layer), sample=0)) == set()  # they are of one size, and nothing else was asked for
    both = {("changed", "4_4_40/0-16_0-16_0-8"), ("changed", "4_4_40/0-16_16-32_0-8")}
    assert said(findings(str(layer), sample=0, checksums=True)) == both
    assert said(findings(str(layer))) == both  # by what was made of them
    assert repair(str(layer)).verified.is_sound
    assert contents(layer) == kept["raw", "none"].contents


def test_what_is_not_of_the_grid_is_named_and_never_removed(kept: dict[tuple[str, str], Kept]) -> None:
    layer = kept["raw", "none"].put_back()
    strangers = ["notes", "0-16_0-16_0-9", "0-16_0-16_8-16", "00-16_0-16_0-8", "0-8_0-8_0-8", "32-48_0-16_0-8"]
    for name in strangers:
        (layer / "4_4_40" / name).write_bytes(b"x")
    assert said(findings(str(layer))) == {("unlisted", f"4_4_40/{name}") for name in strangers}
    repaired = repair(str(layer))
    assert repaired.tasks == 0
    assert {one.key for one in repaired.refused} == {f"4_4_40/{name}" for name in strangers}
    assert all("remove it yourself" in one.why for one in repaired.refused)
    assert (layer / "4_4_40" / "notes").exists()


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 40)] * 3),
    chunk=st.tuples(*[st.integers(1, 17)] * 3),
    offset=st.tuples(*[st.integers(-60, 60)] * 3),
)
def test_the_name_of_every_chunk_is_found_and_no_other(size: Any, chunk: Any, offset: Any) -> None:
    from teravox.pipeline.layers.info import Scale

    scale = Scale("k", size, (1, 1, 1), (chunk,), "raw", offset)
    grid = ChunkGrid(scale, chunk)
    names = [grid.key(number).removeprefix("k/") for number in range(min(len(grid), 50))]
    assert [grid.find(name) for name in names] == list(range(len(names)))
    for name in names[:5]:
        assert grid.find(f"{name}0") is None
        assert grid.find(f"0{name}") is None
    for number in range(0, len(grid), 2):
        grid.seen[number] = 1
    assert list(grid.unseen()) == list(range(1, len(grid), 2))


def test_a_layer_without_a_ledger_is_told_what_can_be_known(tmp_path: Path) -> None:
    layer = Path(make_layer(tmp_path / "layer", voxels((20, 16, 8), "uint8")))
    assert findings(str(layer)) == []
    (layer / "4_4_40/0-8_0-8_0-8.gz").unlink()
    (found,) = findings(str(layer))
    assert (found.what, found.key, found.task) == ("missing", "4_4_40/0-8_0-8_0-8", None)
    assert found.sentence.endswith("this layer has no ledger")
    look = open_look(str(layer), Closeness(fill_missing=True), Registry())
    assert verify(look, (), Progress()).is_sound
    repaired = repair(str(layer))
    assert (repaired.tasks, len(repaired.refused)) == (0, 1)
    assert "this layer has no ledger, so nobody knows how to make it" in repaired.refused[0].why


def test_a_mip_without_any_voxels_is_told_once(tmp_path: Path) -> None:
    layer = Path(make_layer(tmp_path / "layer", voxels((20, 16, 8), "uint8")))
    for file in (layer / "4_4_40").iterdir():
        file.unlink()
    assert said(findings(str(layer))) == {("missing", "4_4_40")}


def test_chunks_that_were_left_out_are_not_missing_and_those_of_pieces_not_done_are(tmp_path: Path) -> None:
    array = voxels((32, 16, 8), "uint8")
    array[8:16] = 0
    source = make_layer(tmp_path / "src", array)
    options: dict[str, Any] = {
        "source": source,
        "dest": str(tmp_path / "layer"),
        "skip_background": True,
        "shape": (16, 8, 8),
    }
    job = do_recorded("image transfer", **options, leave_out=[3])
    assert not (tmp_path / "layer/4_4_40/8-16_0-8_0-8.gz").exists()
    found = verified(str(tmp_path / "layer"))
    assert said(found.findings) == {
        ("incomplete", f"ledger/{next((tmp_path / 'layer/ledger').iterdir()).name}"),
        ("missing", "4_4_40/16-24_8-16_0-8"),
        ("missing", "4_4_40/24-32_8-16_0-8"),
    }
    assert found.counts["chunks left out, as there was nothing to write"] == 2
    assert any(finding.sentence == "image transfer: 3 of 4 pieces are done" for finding in found.findings)
    repaired = repair(str(tmp_path / "layer"))
    assert (repaired.tasks, repaired.verified.is_sound) == (1, True)
    assert len(list((tmp_path / "layer/4_4_40").iterdir())) == 6
    assert job.home() == str(tmp_path / "layer")

    import shutil

    shutil.rmtree(source)  # then the job cannot be asked, and what it did not write it left out
    assert findings(str(tmp_path / "layer")) == []


def test_what_was_removed_on_purpose_is_not_missing(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "src", voxels((32, 16, 8), "uint8"))
    layer = str(tmp_path / "layer")
    do_recorded("image transfer", source=source, dest=layer, num_mips=2)
    bounds = {"min": [0, 0, 0], "max": [16, 16, 8]}
    do_recorded("image rm", layer=layer, mip=0, bounds=bounds)
    found = verified(layer, "images", "ledger", "files")
    assert (found.findings, found.counts["chunks removed"]) == ((), 4)
    do_recorded("image rm", layer=layer, mip=1, num_mips=2)
    assert findings(layer) == []
    assert len(json.loads(Path(layer, "info").read_text())["scales"]) == 1


def test_a_second_job_has_the_last_word(tmp_path: Path) -> None:
    array = voxels((32, 16, 8), "uint8")
    source = make_layer(tmp_path / "src", array)
    layer = tmp_path / "layer"
    do_recorded("image transfer", source=source, dest=str(layer), compress="none", leave_out=[0], shape=(16, 16, 8))
    do_recorded("image transfer", source=source, dest=str(layer), compress="gzip")
    assert findings(str(layer), checksums=True) == []  # the first one was given up for the second
    kept = Kept(layer)
    for key in ("4_4_40/0-8_0-8_0-8", "4_4_40/24-32_8-16_0-8"):
        damage(layer, key, "delete", 0)
    repaired = repair(str(layer))
    assert repaired.verified.is_sound
    assert contents(layer) == kept.contents


@pytest.mark.parametrize("encoding", ["fpzip", "zfpc"])
def test_broken_chunks_that_crash_their_codec_are_named_and_kill_nobody(tmp_path: Path, encoding: str) -> None:
    pytest.importorskip({"zfpc": "zfpc"}.get(encoding, "fpzip"))
    array = np.cumsum(voxels((16, 16, 8), "float32"), axis=0, dtype=np.float32)
    layer = Path(make_layer(tmp_path / "layer", array, encoding=encoding, compress=False))
    for number, file in enumerate(sorted((layer / "4_4_40").iterdir())):
        if number:
            whole = file.read_bytes()
            file.write_bytes(whole[: 12 + 20 * number] + bytes([255]) * (len(whole) - 12 - 20 * number))
    found = findings(str(layer))
    keys = {f"4_4_40/{x}_{y}_0-8" for x in ("0-8", "8-16") for y in ("0-8", "8-16")}
    assert {finding.what for finding in found} <= {"undecodable", "truncated"}
    assert {finding.key for finding in found} <= keys - {"4_4_40/0-8_0-8_0-8"}


def test_a_mip_that_is_not_there_and_a_place_without_a_layer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="neither an info file nor a ledger"):
        open_look(str(tmp_path), Closeness(), Registry())
    layer = make_layer(tmp_path / "layer", voxels((8, 8, 8), "uint8"))
    look = open_look(layer, Closeness(mips=(3,)), Registry())
    with pytest.raises(Exception, match="has no mip 3"):
        verify(look, (), Progress())


def test_several_sizes_of_chunks_are_each_looked_for(tmp_path: Path) -> None:
    layer = Path(make_layer(tmp_path / "layer", voxels((16, 16, 8), "uint8"), chunk=(8, 8, 8), compress=False))
    info = json.loads((layer / "info").read_text())
    info["scales"][0]["chunk_sizes"].append([16, 16, 8])
    (layer / "info").write_text(json.dumps(info))
    assert said(findings(str(layer))) == {("missing", "4_4_40/0-16_0-16_0-8")}
    whole = Layer.open(str(layer)).read(Layer.open(str(layer)).bounds(0), 0)
    (layer / "4_4_40/0-16_0-16_0-8").write_bytes(whole.tobytes("F"))
    assert findings(str(layer)) == []


@pytest.fixture(autouse=True)
def _one_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which decodes what may crash: each takes half a second to come up."""
    monkeypatch.setattr(examiners, "granted_cores", lambda: 1)
