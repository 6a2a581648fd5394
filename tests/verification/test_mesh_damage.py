"""Damaged meshes in all forms are found and named, and repaired to the byte; sound ones are not found."""

from __future__ import annotations

import gzip
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from meshes.meshed_layers import make_meshed
from verification.objects import edit_info, forget_ledgers, make_meshes, mend
from verification.recorded import do_recorded, findings, said, verified
from verification.repairing import DAMAGES, Kept, contents, damage, swap

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.merging import draco
from teravox.pipeline.meshes.merging.manifest import Fragment, Level, Manifest
from teravox.pipeline.meshes.mesh_info import MULTIRES, MeshInfo
from teravox.pipeline.verification.mesh_checks import check_manifest
from teravox.pipeline.verification.object_space import Space

FORMATS = ("sharded", "multires", "legacy")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    folder = tmp_path_factory.mktemp("meshes")
    return {format: Kept(Path(make_meshes(folder / format, format))) for format in FORMATS}


def keys_of(layer: Path, format: str) -> list[str]:
    """What tasks have written of the meshes, without a compression's ending."""
    names = sorted(file.name.removesuffix(".gz") for file in (layer / "mesh").iterdir() if file.is_file())
    keys = [f"mesh/{name}" for name in names if ".spatial" not in name and name != "info"]
    assert len(keys) > 3, format
    return keys


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("sample", [None, 3])
def test_sound_meshes_are_all_looked_at_and_not_found(kept: dict[str, Kept], format: str, sample: int | None) -> None:
    layer = kept[format].put_back()
    found = verified(str(layer), sample=sample, checksums=True)
    assert found.findings == ()
    meshes = len({label for cell in (layer / "mesh").glob("*.spatial*") for label in labels_in(cell)})
    assert found.counts["meshes"] == meshes
    assert found.counts["meshes decoded"] == (sample or meshes)
    forget_ledgers(layer)
    assert findings(str(layer), sample=sample) == []


def labels_in(cell: Path) -> list[str]:
    return list(json.loads(gzip.decompress(cell.read_bytes())))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    format=st.sampled_from(FORMATS),
    how=st.sampled_from(DAMAGES),
    number=st.integers(0, 1000),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_damage_to_any_object_is_named_and_repaired_to_the_byte(
    kept: dict[str, Kept], format: str, how: str, number: int, seed: int
) -> None:
    layer = kept[format].put_back()
    keys = keys_of(layer, format)
    damage(layer, keys[number % len(keys)], how, seed)

    found = findings(str(layer), "meshes", checksums=True)
    assert keys[number % len(keys)] in {finding.key for finding in found}
    assert {finding.task.kind for finding in found if finding.task} == {"mesh merge"}

    assert mend(layer).verified.is_sound
    assert contents(layer) == kept[format].contents


@pytest.mark.parametrize("format", FORMATS)
def test_what_names_tell_is_found_without_a_ledger(kept: dict[str, Kept], format: str) -> None:
    layer = kept[format].put_back()
    forget_ledgers(layer)
    for key in keys_of(layer, format)[::12]:
        damage(layer, key, "delete", 0)
        found = said(findings(str(layer)))
        if format == "sharded":
            assert found == {("missing", key)}  # by the labels of the spatial index
        elif format == "multires":
            assert ("missing", key) in found or ("missing", f"{key}.index") in found
        else:
            assert ("missing", key) in found
        kept[format].put_back()
        forget_ledgers(layer)


def test_a_shard_that_was_cut_off_is_found_without_a_ledger(kept: dict[str, Kept]) -> None:
    layer = kept["sharded"].put_back()
    forget_ledgers(layer)
    key = keys_of(layer, "sharded")[0]
    whole = (layer / key).read_bytes()
    for length in (0, 100, 1024, len(whole) // 2, len(whole) - 1):
        (layer / key).write_bytes(whole[:length])
        assert ("truncated", key) in said(findings(str(layer), "meshes"))


def test_two_shards_that_were_swapped_are_both_named_by_what_lies_in_them(kept: dict[str, Kept]) -> None:
    layer = kept["sharded"].put_back()
    forget_ledgers(layer)
    one, other = keys_of(layer, "sharded")[:2]
    swap(layer, one, other)
    assert said(findings(str(layer), "meshes")) == {("wrong", one), ("wrong", other)}


def test_a_fragment_that_draco_cannot_decode_is_named(kept: dict[str, Kept]) -> None:
    layer = kept["multires"].put_back()
    forget_ledgers(layer)
    key = next(key for key in keys_of(layer, "multires") if key.endswith(".index")).removesuffix(".index")
    data = bytearray((layer / key).read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    (layer / key).write_bytes(data)
    assert said(findings(str(layer), "meshes")) == {("undecodable", key)}


def test_bytes_behind_the_last_fragment_are_named(kept: dict[str, Kept]) -> None:
    layer = kept["multires"].put_back()
    forget_ledgers(layer)
    key = next(key for key in keys_of(layer, "multires") if key.endswith(".index")).removesuffix(".index")
    (layer / key).write_bytes((layer / key).read_bytes() + b"x")
    assert said(findings(str(layer), "meshes")) == {("wrong", key)}


def test_a_face_that_is_gone_leaves_a_surface_open(kept: dict[str, Kept]) -> None:
    layer = kept["legacy"].put_back()
    key = next(key for key in keys_of(layer, "legacy") if key.endswith(":0:0"))
    (file,) = layer.glob(f"{key}*")
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes())[:-12]))
    found = [finding for finding in findings(str(layer), "meshes") if finding.what == "wrong"]
    assert [finding.key for finding in found] == [key.removesuffix(":0")]
    assert "not closed" in found[0].sentence


def test_a_face_that_is_gone_from_a_level_of_detail_leaves_it_open(kept: dict[str, Kept]) -> None:
    layer = kept["multires"].put_back()
    for records in layer.glob("mesh/ledger/*/*.jsonl-gz"):
        records.unlink()  # the sizes of files will be others
    key = next(key for key in keys_of(layer, "multires") if key.endswith(".index")).removesuffix(".index")
    manifest = Manifest.decode((layer / f"{key}.index").read_bytes())
    data = (layer / key).read_bytes()
    cell, size = manifest.levels[0].fragments[0]
    points, faces = draco.decode(data[:size])
    fragment = draco.encode(points, faces[:-1], 16)
    first = msgspec.structs.replace(
        manifest.levels[0], fragments=(Fragment(cell, len(fragment)), *manifest.levels[0].fragments[1:])
    )
    changed = msgspec.structs.replace(manifest, levels=(first, *manifest.levels[1:]))
    (layer / f"{key}.index").write_bytes(changed.encode())
    (layer / key).write_bytes(fragment + data[size:])
    (finding,) = findings(str(layer), "meshes")
    assert (finding.what, finding.key) == ("wrong", key)
    assert "level 0 is not closed" in finding.sentence


def test_fragments_that_no_manifest_names_are_named(kept: dict[str, Kept]) -> None:
    layer = kept["legacy"].put_back()
    key = next(key for key in keys_of(layer, "legacy") if key.endswith(":0:0"))
    (file,) = layer.glob(f"{key}*")
    (layer / f"{key.removesuffix(':0')}:99").write_bytes(file.read_bytes())
    assert said(findings(str(layer))) == {("unlisted", f"{key.removesuffix(':0')}:99")}


def test_an_info_that_contradicts_the_meshes_is_found(kept: dict[str, Kept]) -> None:
    layer = kept["multires"].put_back()
    info = layer / "mesh/info"
    whole = info.read_text()
    edit_info(info, vertex_quantization_bits=10)
    assert {finding.what for finding in findings(str(layer), "meshes")} == {"wrong"}
    info.write_text(whole)
    edit_info(info, transform=[16, 0, 0, 9e9, 0, 16, 0, 0, 0, 0, 40, 0])
    found = findings(str(layer), "meshes")
    assert found
    assert all("outside of the layer" in finding.sentence for finding in found)


@pytest.mark.parametrize(
    ("format", "damaged"), [("sharded", None), ("multires", b""), ("legacy", b"{"), ("sharded", b"{}")]
)
def test_a_lost_info_is_found_and_made_again(kept: dict[str, Kept], format: str, damaged: bytes | None) -> None:
    layer = kept[format].put_back()
    info = layer / "mesh/info"
    info.unlink() if damaged is None else info.write_bytes(damaged)
    assert said(findings(str(layer), "meshes")) == {("missing" if damaged is None else "invalid", "mesh/info")}
    assert mend(layer).verified.is_sound
    assert contents(layer) == kept[format].contents


def test_meshes_without_fragments_are_repaired_by_forging_these_again(kept: dict[str, Kept]) -> None:
    layer = kept["sharded"].put_back()
    do_recorded("mesh clean", layer=str(layer))
    assert not list((layer / "mesh.fragments").rglob("*.frags"))
    assert findings(str(layer)) == []  # what was cleaned up is not missing
    key = keys_of(layer, "sharded")[1]
    damage(layer, key, "delete", 0)
    assert mend(layer).verified.is_sound
    meshes = {name: data for name, data in kept["sharded"].contents.items() if name.startswith("mesh/")}
    assert {name: data for name, data in contents(layer).items() if name.startswith("mesh/")} == meshes


def test_meshes_whose_fragments_are_others_now_are_not_made_of_these(kept: dict[str, Kept]) -> None:
    layer = kept["sharded"].put_back()
    do_recorded("mesh forge", layer=str(layer), shape=(96, 96, 96), cell=(24, 24, 24))
    key = keys_of(layer, "sharded")[1]
    damage(layer, key, "delete", 0)
    before = contents(layer)
    repaired = mend(layer)
    assert not repaired.verified.is_sound
    assert any("teravox mesh merge" in one.why for one in repaired.refused), repaired.refused
    assert contents(layer) == before


def test_a_removed_result_is_not_missed_in_the_one_that_follows(kept: dict[str, Kept], tmp_path: Path) -> None:
    layer = kept["sharded"].put_back()
    copy = str(tmp_path / "copy")
    do_recorded("mesh transfer", source=str(layer), dest=copy, format="multires")
    assert findings(copy, "meshes") == []
    do_recorded("mesh rm", layer=copy)
    assert findings(copy, "meshes") == []
    do_recorded("mesh transfer", source=str(layer), dest=copy, format="sharded")
    assert findings(copy, "meshes") == []


@pytest.mark.parametrize("format", ["sharded", "multires", "legacy"])
def test_a_copy_is_repaired_to_the_byte(kept: dict[str, Kept], format: str, tmp_path: Path) -> None:
    layer = kept["sharded"].put_back()
    do_recorded("image transfer", source=str(layer), dest=str(tmp_path / "copy"))
    do_recorded("mesh transfer", source=str(layer), dest=str(tmp_path / "copy"), format=format)
    copy = Kept(tmp_path / "copy")
    damage(copy.layer, keys_of(copy.layer, format)[2], "delete", 0)
    assert mend(copy.layer).verified.is_sound
    assert contents(copy.layer) == copy.contents


@pytest.mark.parametrize("form", FORMATS)
def test_meshes_that_others_made_are_sound(tmp_path: Path, form: str) -> None:
    made = make_meshed(tmp_path / "seg", form)
    wrong = [finding.sentence for finding in findings(made.path, "meshes")]  # their cells are in another order
    assert all("Z-order" in sentence or "no parent" in sentence for sentence in wrong)


@pytest.mark.parametrize("name", ["00.shard", "g.shard", "ff.shard"])
def test_a_shard_that_the_info_does_not_know_is_named(kept: dict[str, Kept], name: str) -> None:
    layer = kept["sharded"].put_back()
    (layer / "mesh" / name).write_bytes(b"x")
    assert said(findings(str(layer), "meshes")) == {("unlisted", f"mesh/{name}")}


def test_a_face_that_names_no_vertex_is_found_in_every_form(
    kept: dict[str, Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = kept["legacy"].put_back()
    forget_ledgers(layer)
    key = next(key for key in keys_of(layer, "legacy") if key.endswith(":0:0"))
    (file,) = layer.glob(f"{key}*")
    data = bytearray(gzip.decompress(file.read_bytes()))
    data[-4:] = b"\xff\0\0\x7f"
    file.write_bytes(gzip.compress(data))
    assert said(findings(str(layer), "meshes")) == {("undecodable", key)}

    import DracoPy

    mesh = SimpleNamespace(points=np.zeros((3, 3), np.float32), faces=np.array([[0, 1, 3]]))
    monkeypatch.setattr(DracoPy, "decode", lambda _: mesh)
    with pytest.raises(ValueError, match="a face names vertex 3 of 3"):
        draco.decode(b"DRACO")
    mesh.points = None
    with pytest.raises(ValueError, match="no positions"):
        draco.decode(b"DRACO")


def level(*cells: tuple[int, int, int], **words: Any) -> Level:  # Any: of a level
    return Level(words.get("scale", 1.0), tuple(Fragment(cell, 5) for cell in cells), words.get("offset", (0, 0, 0)))


GOOD = level((0, 0, 0), (1, 0, 0)), level((0, 0, 0), scale=2.0)


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (Manifest((9, 9, 9), (0, 0, 0), GOOD), None),
        (Manifest((9, 9, 9), (0, 0, 0), ()), "no level"),
        (Manifest((9, 0, 9), (0, 0, 0), GOOD), "its cells have the size"),
        (Manifest((9, 9, 9), (0, float("nan"), 0), GOOD), "begin at"),
        (Manifest((9, 9, 9), (0, 0, 0), GOOD[::-1]), "they must grow"),
        (Manifest((9, 9, 9), (0, 0, 0), (level((0, 0, 0), (0, 0, 0)), GOOD[1])), "twice"),
        (Manifest((9, 9, 9), (0, 0, 0), (level((1, 0, 0), (0, 0, 0)), GOOD[1])), "Z-order"),
        (Manifest((9, 9, 9), (0, 0, 0), (level((2, 0, 0)), GOOD[1])), "no parent"),
        (Manifest((9, 9, 9), (0, 0, 0), (level((0, 0, 0), offset=(0, float("inf"), 0)),)), "shifted"),
        (Manifest((9, 9, 9), (0, 0, 0), (level((0, 99, 0)),)), "outside of the layer"),
        (Manifest((9, 9, 9), (-5e9, 0, 0), GOOD), "outside of the layer"),
    ],
)
def test_a_manifest_that_cannot_be_true_is_told_why(kept: dict[str, Kept], manifest: Manifest, why: str | None) -> None:
    layer = Layer.open(str(kept["multires"].put_back()), fresh=True)
    info = MeshInfo(type=MULTIRES, transform=(16, 0, 0, 80, 0, 16, 0, -112, 0, 0, 40, 440))
    found = list(check_manifest(manifest, info, Space.of(layer, {})))
    assert (found == []) if why is None else any(why in sentence for sentence in found), found


class Quiet(SimpleHTTPRequestHandler):
    """A web server that says nothing."""

    def log_message(self, *_: object) -> None:
        pass


def test_behind_a_web_server_shards_are_decoded_and_what_needs_a_listing_is_told(kept: dict[str, Kept]) -> None:
    layer = kept["sharded"].put_back()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(layer))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            found = verified(url, "meshes", "fragments", "spatial")
            assert found.findings == ()
            assert found.counts["meshes"] == found.counts["meshes decoded"] > 5
            assert any("spatial index" in said for said in found.counts if said.startswith("not checked"))
            key = keys_of(layer, "sharded")[0]
            (layer / key).write_bytes((layer / key).read_bytes()[:-5])
            assert {key for _, key in said(verified(url, "meshes").findings)} == {key}
        finally:
            server.shutdown()
            thread.join()
