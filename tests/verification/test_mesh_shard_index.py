"""The indices of a shard: what they say wrongly is found, whatever lies in the shard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teravox.pipeline.layers.sharding.build import build_shard, index_shard
from teravox.pipeline.layers.sharding.read import ShardReader
from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.verification.shard_index import Shard, check_shard

SPEC = ShardSpec(preshift_bits=0, hash="identity", minishard_bits=1, shard_bits=1)  # numbers 0, 1, 4, 5, 8 … in shard 0
KEY = "s/0.shard"
Row = tuple[int, int, int]  # number, start behind the index of the shard, size


def check(folder: Path, data: bytes, spec: ShardSpec = SPEC, shard: int = 0) -> Shard:
    (folder / "s").mkdir(exist_ok=True)
    (folder / KEY).write_bytes(data)
    found = check_shard(open_store(str(folder)), KEY, spec, shard, len(data))
    assert found is not None
    return found


def shard_of(first: Sequence[Row], second: Sequence[Row] = ()) -> bytes:
    """A shard of 100 bytes of data, whose minishards have these rows."""
    indices = []
    for minishard, rows in enumerate((first, second)):
        table = np.array(rows, np.int64).reshape(-1, 3).T
        ends = np.concatenate([[0], (table[1] + table[2])[:-1]])
        said = np.stack([np.diff(table[0], prepend=0), table[1] - ends, table[2]]).astype("<u8")
        indices += [(minishard, said.tobytes())] if rows else []
    return index_shard(indices, 100, SPEC) + bytes(100) + b"".join(index for _, index in indices)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=20),
    packed=st.booleans(),
    bits=st.tuples(st.integers(0, 3), st.integers(0, 2)),
)
def test_a_sound_shard_has_the_entries_that_readers_see(
    tmp_path: Path, numbers: set[int], packed: bool, bits: tuple[int, int]
) -> None:
    spec = ShardSpec(
        preshift_bits=0,
        hash="murmurhash3_x86_128",
        minishard_bits=bits[0],
        shard_bits=bits[1],
        minishard_index_encoding="gzip" if packed else "raw",
    )
    shards, _ = spec.places(np.array(sorted(numbers), np.uint64))
    mine = {number: bytes(number % 7) for number, at in zip(sorted(numbers), shards, strict=True) if at == 0}
    name = spec.file_name(0)
    (tmp_path / name).write_bytes(build_shard(dict(mine), spec))
    store = open_store(str(tmp_path))
    found = check_shard(store, name, spec, 0, (tmp_path / name).stat().st_size)
    assert found is not None
    assert found.findings == []
    seen = {(one.number, one.stop - one.start) for one in found.entries.found(0)}
    assert seen == {(one.number, one.stop - one.start) for one in ShardReader(store, "", spec).all_in(0)}
    assert seen == {(number, len(data)) for number, data in mine.items()}


@pytest.mark.parametrize(
    ("data", "what", "why"),
    [
        (shard_of([(0, 0, 10), (4, 10, 10)], [(1, 20, 10)]), None, ""),
        (shard_of([(0, 0, 10), (4, 0, 10)]), None, ""),  # two may have the same bytes
        (shard_of([(4, 0, 10), (0, 10, 10)]), "wrong", "once and in order"),
        (shard_of([(4, 0, 10), (4, 10, 10)]), "wrong", "once and in order"),
        (shard_of([(0, 0, 10), (1, 10, 10)]), "wrong", "holds 1, whose place is another"),
        (shard_of([(2, 0, 10)]), "wrong", "holds 2, whose place is another"),
        (shard_of([(0, 0, 10), (4, 5, 10)]), "wrong", "several things at once"),
        (shard_of([(0, 90, 20)]), "wrong", "several things at once"),  # it goes on in the index behind it
        (shard_of([(0, 0, 10**9)]), "truncated", "would lie outside"),
        (shard_of([(0, 2**60, 10)]), "truncated", "would lie outside"),
        (shard_of([(0, 0, 10)])[:-1], "truncated", "its index points as far as byte"),
        (shard_of([(0, 0, 10)])[:31], "truncated", "ends within its index"),
        (index_shard([(0, bytes(23))], 100, SPEC) + bytes(123), "undecodable", "no whole rows"),
        (np.array([[9, 5], [0, 0]], "<u8").tobytes() + bytes(100), "wrong", "ends before it begins"),
    ],
)
def test_what_an_index_says_wrongly_is_found(tmp_path: Path, data: bytes, what: str | None, why: str) -> None:
    found = check(tmp_path, data)
    assert [finding.what for finding in found.findings] == ([] if what is None else [what])
    assert all(why in finding.sentence for finding in found.findings)
    for one in found.entries.found(0):  # those that can be trusted lie in the file
        assert SPEC.index_size <= one.start <= one.stop <= len(data)


def test_a_damaged_index_of_a_minishard_hides_no_other(tmp_path: Path) -> None:
    spec = ShardSpec(preshift_bits=0, hash="identity", minishard_bits=1, shard_bits=1, minishard_index_encoding="gzip")
    data = bytearray(build_shard({0: b"a", 4: b"b", 1: b"c"}, spec))
    data[-20] ^= 255  # in the last index, which is that of minishard 1
    found = check(tmp_path, bytes(data), spec)
    assert [finding.what for finding in found.findings] == ["undecodable"]
    assert found.entries.numbers.tolist() == [0, 4]


def test_a_shard_that_is_stored_compressed_is_wrong_and_one_that_is_not_there_is_nothing(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    assert check_shard(store, KEY, SPEC, 0, None) is None
    store.put(KEY, shard_of([(0, 0, 10)]), compress="gzip")
    found = check_shard(store, KEY, SPEC, 0, 100)
    assert found is not None
    assert [finding.what for finding in found.findings] == ["wrong"]
