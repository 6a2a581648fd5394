"""Chunks in shards: what is damaged is found and named, and repaired to the byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import with_memory
from layers.make import make_layer, voxels
from verification.recorded import do_recorded, findings, verified
from verification.repairing import Kept, contents, damage, repair, swap

from teravox.pipeline.layers.chunk_numbers import chunk_numbers
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.sharding.build import build_shard
from teravox.pipeline.layers.sharding.read import ShardReader
from teravox.tasks.image.transfer import Transfer


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A sharded copy with a sharded mip, in several shards each."""
    folder = tmp_path_factory.mktemp("shards")
    source = make_layer(folder / "src", voxels((40, 28, 20), "uint8"), chunk=(8, 8, 8))
    layer = str(folder / "layer")
    few = with_memory(Transfer(source, layer, sharded=True), 0.002).memory_limit  # so that there are several shards
    do_recorded("image transfer", source=source, dest=layer, sharded=True, memory=few)
    do_recorded("image downsample", layer=layer, num_mips=1, compress="none")
    kept = Kept(folder / "layer")
    assert len(shards(kept, "4_4_40")) > 3
    assert len(shards(kept, "8_8_40")) > 0
    return kept


def shards(kept: Kept, mip: str) -> list[str]:
    return sorted(key for key in kept.contents if key.startswith(mip))


def test_sound_shards_have_no_findings(kept: Kept) -> None:
    found = verified(str(kept.put_back()), checksums=True)
    assert found.findings == ()
    assert found.counts["chunks"] == found.counts["chunks decoded"] == 5 * 4 * 3 + 3 * 2 * 3
    assert found.counts["shards"] == len(shards(kept, "4_4_40")) + len(shards(kept, "8_8_40"))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    how=st.sampled_from(["delete", "cut", "empty", "flip"]), number=st.integers(0, 50), seed=st.integers(0, 2**32 - 1)
)
def test_any_damage_to_any_shard_is_named_and_repaired_to_the_byte(
    kept: Kept, how: str, number: int, seed: int
) -> None:
    layer = kept.put_back()
    keys = shards(kept, "4_4_40") + shards(kept, "8_8_40")
    key = keys[number % len(keys)]
    damage(layer, key, how, seed)
    found = findings(str(layer), sample=4, checksums=True)
    assert {finding.key for finding in found} == {key}
    assert all(finding.task is not None for finding in found)
    if how != "flip":
        assert findings(str(layer), sample=0)
    repaired = repair(str(layer), sample=4, checksums=True)
    assert (repaired.verified.is_sound, repaired.tasks) == (True, 1)
    assert contents(layer) == kept.contents


def test_two_shards_that_were_swapped_are_found_by_what_they_hold(kept: Kept) -> None:
    layer = kept.put_back()
    one, other = shards(kept, "4_4_40")[:2]
    swap(layer, one, other)
    found = findings(str(layer), sample=0)
    assert {finding.key for finding in found} == {one, other}
    assert any("whose place is another shard" in finding.sentence for finding in found if finding.key == one)
    assert repair(str(layer)).verified.is_sound
    assert contents(layer) == kept.contents


def test_shards_without_a_ledger_are_verified_by_their_indices(kept: Kept) -> None:
    import shutil

    layer = kept.put_back()
    shutil.rmtree(layer / "ledger")
    assert findings(str(layer)) == []
    one, other, third = shards(kept, "4_4_40")[:3]
    damage(layer, one, "cut", 1)
    (layer / other).unlink()
    (layer / "4_4_40/f.shard").write_bytes(b"x")
    (layer / f"{third}.gz").write_bytes(b"x")
    found = findings(str(layer), "images")
    assert {finding.key for finding in found} == {one, other, third, "4_4_40/f.shard"}
    assert {finding.what for finding in found if finding.key == other} == {"missing"}


def test_chunks_that_a_shard_lacks_are_told_unless_it_is_as_it_was_written(tmp_path: Path) -> None:
    array = voxels((32, 16, 8), "uint8")
    array[:8, :8] = 0
    source = make_layer(tmp_path / "src", array)
    layer = tmp_path / "layer"
    do_recorded("image transfer", source=source, dest=str(layer), sharded=True, skip_background=True)
    found = verified(str(layer))
    assert (found.findings, found.counts["chunks left out, as there was nothing to write"]) == ((), 1)
    (layer / "ledger").rename(tmp_path / "ledger")
    (one,) = findings(str(layer))
    assert (one.what, "1 of its 8 chunks are not in it" in one.sentence) == ("missing", True)


def test_a_shard_with_chunks_from_outside_of_the_volume_is_wrong(kept: Kept) -> None:
    layer = kept.put_back()
    opened = Layer.open(str(layer), fresh=True)
    numbers = chunk_numbers(opened.scale(0), "here")
    reader = ShardReader(opened.store, "4_4_40", numbers.spec)
    outside = int(numbers.morton.codes(np.array([[4, 3, 3]]))[0])  # the grid has 5 x 4 x 3 cells
    shard = int(numbers.spec.places(np.array([outside], np.uint64))[0][0])
    packed = {found.number: data for found, data in reader.fetch(reader.all_in(shard))}
    packed[outside] = next(iter(packed.values()), b"x")
    (layer / reader.key(shard)).write_bytes(build_shard(packed, numbers.spec))
    (layer / "ledger").rename(layer.with_name("ledger-away"))
    (found,) = findings(str(layer), "images")
    is_new = reader.key(shard) not in kept.contents
    assert (found.key, found.what) == (reader.key(shard), "unlisted" if is_new else "wrong")
    layer.with_name("ledger-away").rename(layer / "ledger")
