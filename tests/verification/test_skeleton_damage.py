"""Damaged skeletons in both forms are found and named, and repaired to the byte; sound ones are not found."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skeletons.skeletal_layers import ATTRIBUTES, lines, make_skeletal, some_skeletons
from verification.objects import edit_info, forget_ledgers, make_skeletons, mend
from verification.recorded import do_recorded, findings, said, verified
from verification.repairing import DAMAGES, Kept, contents, damage, swap

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

FORMATS = ("sharded", "legacy")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    folder = tmp_path_factory.mktemp("skeletons")
    return {format: Kept(Path(make_skeletons(folder / format, format))) for format in FORMATS}


def keys_of(layer: Path) -> list[str]:
    """What tasks have written of the skeletons, without a compression's ending."""
    names = sorted(file.name.removesuffix(".gz") for file in (layer / "skeleton").iterdir() if file.is_file())
    return [f"skeleton/{name}" for name in names if ".spatial" not in name and name != "info"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("sample", [None, 3])
def test_sound_skeletons_are_all_looked_at_and_not_found(
    kept: dict[str, Kept], format: str, sample: int | None
) -> None:
    layer = kept[format].put_back()
    found = verified(str(layer), sample=sample, checksums=True)
    assert found.findings == ()
    assert found.counts["skeletons"] > 3
    assert found.counts["skeletons decoded"] == (sample or found.counts["skeletons"])
    forget_ledgers(layer)
    assert findings(str(layer), sample=sample) == []


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
    keys = keys_of(layer)
    key = keys[number % len(keys)]
    damage(layer, key, how, seed)
    found = findings(str(layer), "skeletons", checksums=True)
    assert key in {finding.key for finding in found}
    assert {finding.task.kind for finding in found if finding.task} == {"skeleton merge"}
    assert mend(layer).verified.is_sound
    assert contents(layer) == kept[format].contents


def test_two_shards_that_were_swapped_are_both_named_by_what_lies_in_them(kept: dict[str, Kept]) -> None:
    layer = kept["sharded"].put_back()
    forget_ledgers(layer)
    one, other = keys_of(layer)[:2]
    swap(layer, one, other)
    assert said(findings(str(layer), "skeletons")) == {("wrong", one), ("wrong", other)}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_that_flipped_in_a_shard_is_found_without_a_ledger_or_changes_nothing(
    kept: dict[str, Kept], place: float, bit: int
) -> None:
    layer = kept["sharded"].put_back()
    held = skeletons_in(layer)
    key = keys_of(layer)[0]
    data = bytearray((layer / key).read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    (layer / key).write_bytes(data)
    found = {finding.key for finding in findings(str(layer), "skeletons")}
    assert found == {key} or (found == set() and skeletons_in(layer) == held)


def skeletons_in(layer: Path) -> dict[int, bytes | None]:
    """The bytes of all skeletons."""
    source = SkeletonSource.open(Layer.open(str(layer), fresh=True))
    return {label: source.stored(label) for label in source.labels()}


def test_skeletons_without_fragments_are_repaired_by_forging_these_again(kept: dict[str, Kept]) -> None:
    layer = kept["sharded"].put_back()
    do_recorded("skeleton clean", layer=str(layer))
    assert findings(str(layer)) == []
    damage(layer, keys_of(layer)[1], "cut", 0)
    assert mend(layer).verified.is_sound
    before = {name: data for name, data in kept["sharded"].contents.items() if name.startswith("skeleton/")}
    assert {name: data for name, data in contents(layer).items() if name.startswith("skeleton/")} == before


@pytest.mark.parametrize(
    ("format", "damaged"), [("sharded", None), ("legacy", None), ("sharded", b"{"), ("legacy", b'{"@type": "mesh"}')]
)
def test_a_lost_info_is_found_and_made_again(kept: dict[str, Kept], format: str, damaged: bytes | None) -> None:
    layer = kept[format].put_back()
    info = layer / "skeleton/info"
    info.unlink() if damaged is None else info.write_bytes(damaged)
    assert said(findings(str(layer), "skeletons")) == {("missing" if damaged is None else "invalid", "skeleton/info")}
    assert mend(layer).verified.is_sound
    assert contents(layer) == kept[format].contents


def test_attributes_that_the_info_does_not_tell_of_are_found(kept: dict[str, Kept]) -> None:
    layer = kept["legacy"].put_back()
    radius = {"id": "radius", "data_type": "float32", "num_components": 1}
    edit_info(layer / "skeleton/info", vertex_attributes=[radius, radius | {"id": "area", "num_components": 2}])
    assert {finding.what for finding in findings(str(layer), "skeletons")} == {"undecodable"}


@pytest.mark.parametrize("form", FORMATS)
def test_skeletons_that_others_made_are_sound(tmp_path: Path, form: str) -> None:
    assert findings(make_skeletal(tmp_path / "seg", form).path, "skeletons") == []


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("radius", -2, "radius is negative"), ("cross_sectional_area", np.nan, "is no number"), ("radius", -1, None)],
)
def test_attributes_that_cannot_be_are_found(
    tmp_path: Path, form: str, name: str, value: float, why: str | None
) -> None:
    skeletons = some_skeletons()
    skeletons[300].attributes[name][2] = value
    path = make_skeletal(tmp_path / "seg", form, skeletons=skeletons).path
    found = findings(path, "skeletons")
    if why is None:  # readers and writers take -1 for unknown
        assert found == []
    else:
        (finding,) = found
        assert (finding.what, why in finding.sentence, "label 300" in finding.sentence) == ("wrong", True, True)


@pytest.mark.parametrize(
    ("at", "said_so", "why"),
    [
        (8, np.float32(np.nan), "nowhere"),
        (8, np.float32(1e12), "outside of the layer"),
        (-8, np.uint32(7), "an edge names vertex"),
        (0, np.uint32(4), "which do not fit"),
    ],
)
def test_what_skeletons_cannot_be_is_found(tmp_path: Path, at: int, said_so: np.float32 | np.uint32, why: str) -> None:
    one = lines([(1, 2, 3), (2, 2, 3), (3, 2, 3)], [(0, 1), (1, 2)])
    path = make_skeletal(tmp_path / "seg", "legacy", skeletons={9: one}, attributes=ATTRIBUTES[:0]).path
    (file,) = Path(path, "skeletons").glob("9*")
    file.unlink()
    data = bytearray(struct.pack("<II", 3, 2) + one.vertices.tobytes() + one.edges.tobytes())
    start = at % len(data)
    data[start : start + 4] = said_so.tobytes()
    (file.parent / "9").write_bytes(data)
    (finding,) = findings(path, "skeletons")
    assert finding.key == "skeletons/9"
    assert why in finding.sentence


@pytest.mark.parametrize("data", [struct.pack("<II", 0, 0), struct.pack("<II3f", 1, 0, 500, 0, 1000)])
def test_empty_ones_and_those_without_attributes_are_wrong_only_where_teravox_made_them(
    kept: dict[str, Kept], data: bytes
) -> None:
    layer = kept["legacy"].put_back()
    forget_ledgers(layer)
    key = keys_of(layer)[0]
    (layer / f"{key}.gz").unlink()
    (layer / key).write_bytes(data)
    assert said(findings(str(layer), "skeletons")) == {("wrong", key)}
    info = json.loads((layer / "skeleton/info").read_text())
    del info["teravox"]
    (layer / "skeleton/info").write_text(json.dumps(info))
    assert findings(str(layer), "skeletons") == []
