"""What every store promises, held to files, memory and a real S3 server."""

from __future__ import annotations

import random
import secrets
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from servers.seaweed import S3

from teravox.pipeline.errors import BadInput, Fatal
from teravox.pipeline.storage.compression import LEVELS, compress_parts
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.tally import TALLY
from teravox.pipeline.store import Compression, Store

COMPRESSIONS: list[Compression | None] = [None, *get_args(Compression)]
HOSTILE = ["/etc/passwd", "../up", "a/../../up", "a//b", "a/", "./a", "a\\b", "a\0b", "", ".."]


@pytest.fixture(scope="module")
def bucket(s3: S3) -> Iterator[str]:
    """The URL of an empty one."""
    name = f"contract-{secrets.token_hex(4)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        s3.create_bucket(name)
        yield s3.url(name)


@pytest.fixture(params=["file", "memory", pytest.param("s3", marks=pytest.mark.server)])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the same empty store, again and again."""
    if request.param == "s3":
        url = f"{request.getfixturevalue('bucket')}/{secrets.token_hex(8)}/layer"
    else:
        url = f"mem://{secrets.token_hex(8)}/layer" if request.param == "memory" else str(tmp_path / "a" / "layer")
    return lambda: open_store(url)


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    return reopen()


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.get("info") is None
    assert store.get_many(["a/b", "c"]) == {"a/b": None, "c": None}
    assert store.exists(["a/b"]) == {"a/b": False}
    assert list(store.list()) == []
    store.delete(["a/b", "c"])


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_an_object_comes_back_as_it_went(reopen: Callable[[], Store], compress: Compression | None) -> None:
    for data in (b"", b"short", bytes(range(256)) * 4000):
        reopen().put("8_8_40/0-64_0-64_0-64", data, compress=compress)
        assert reopen().get("8_8_40/0-64_0-64_0-64") == data
    assert list(reopen().list()) == ["8_8_40/0-64_0-64_0-64"]


@pytest.mark.parametrize("before", COMPRESSIONS)
@pytest.mark.parametrize("after", COMPRESSIONS)
def test_a_rewrite_in_another_compression_leaves_one_object(
    store: Store, before: Compression | None, after: Compression | None
) -> None:
    store.put("chunk", b"old" * 100, compress=before)
    store.put("chunk", b"new" * 100, compress=after)
    assert store.get("chunk") == b"new" * 100
    assert list(store.list()) == ["chunk"]
    store.delete(["chunk"])
    assert store.get("chunk") is None
    assert list(store.list()) == []


def test_an_object_can_come_in_parts(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.put("shard", b"old", compress="gzip")
    TALLY.begin(store.url)
    store.put_parts("shard", (bytes([number]) * 70_000 for number in range(100)))
    tallied = TALLY.end()
    whole = b"".join(bytes([number]) * 70_000 for number in range(100))
    assert reopen().get("shard") == whole
    assert reopen().get_range("shard", 69_999, 70_001) == b"\0\1"
    assert list(reopen().list()) == ["shard"]
    assert tallied.outputs == {"shard": (len(whole), zlib.crc32(whole))}
    store.put_parts("shard", compress_parts([b"new", b"er"], "gzip"), "gzip")
    assert reopen().get("shard") == b"newer"
    assert list(reopen().list()) == ["shard"]


def test_an_object_whose_parts_break_off_is_not_there(store: Store) -> None:
    def parts() -> Iterator[bytes]:
        yield b"beginning"
        raise ValueError("no more")

    store.put("shard", b"old")
    with pytest.raises(ValueError, match="no more"):
        store.put_parts("shard", parts())
    assert store.get("shard") == b"old"
    assert list(store.list()) == ["shard"]


def test_many_objects_go_and_come_at_once(store: Store) -> None:
    objects = {f"s/{number}": b"%d" % number for number in range(100)}
    store.put_many(objects, compress="gzip")
    store.put_many(iter([("more", b"more")]))
    assert store.get_many([*objects, "none"]) == objects | {"none": None}
    assert store.exists(["s/99", "s/100"]) == {"s/99": True, "s/100": False}
    assert set(store.list()) == {*objects, "more"}
    store.delete(objects)
    assert set(store.list()) == {"more"}


def test_a_list_has_the_keys_that_begin_so(store: Store) -> None:
    keys = {"info", "a/1", "a/2", "ab/3", "a/b/c/4", "b"}
    store.put_many((key, b"x") for key in keys)
    for prefix in ("", "a", "a/", "a/b", "a/b/c/", "i", "nothing", "nothing/", "info"):
        assert set(store.list(prefix)) == {key for key in keys if key.startswith(prefix)}


def test_a_list_with_sizes_says_what_lies_there(store: Store) -> None:
    data = {"info": b"x", "a/1": bytes(5000), "a/b/2": bytes(range(256)) * 9, "ab": b""}
    how: dict[str, Compression | None] = {"info": None, "a/1": "gzip", "a/b/2": "zstd", "ab": None}
    for key, content in data.items():
        store.put(key, content, compress=how[key])
    for prefix in ("", "a", "a/", "nothing/"):
        rows = list(store.list_sizes(prefix))
        stored = {key: store.get_stored(key) for key in data if key.startswith(prefix)}
        assert {key: size for key, size, _ in rows} == {key: len(one[0]) for key, one in stored.items() if one}
        says = how if not store.url.startswith("s3://") else dict.fromkeys(how)
        assert all(compression == says[key] for key, _, compression in rows)
        assert len(rows) == len(stored)


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_that_could_leave_the_store_is_refused(store: Store, key: str) -> None:
    for attempt in (
        lambda: store.get(key),
        lambda: store.get_many([key]),
        lambda: store.put(key, b"x"),
        lambda: store.put_many({key: b"x"}),
        lambda: store.exists([key]),
        lambda: store.delete([key]),
    ):
        with pytest.raises(BadInput, match="is no key within"):
            attempt()
    with pytest.raises((BadInput, Fatal)):
        store.append(key, b"x")


@pytest.mark.parametrize("prefix", ["../", "/etc/", "a/../../b/"])
def test_a_list_stays_within_the_store(store: Store, prefix: str) -> None:
    with pytest.raises(BadInput):
        list(store.list(prefix))
    with pytest.raises(BadInput):
        list(store.list_sizes(prefix))


def test_the_tally_knows_what_was_put_and_its_sum(store: Store) -> None:
    import zlib

    from teravox.pipeline.storage.compression import compress

    TALLY.begin(store.url)
    store.put("a/1", b"x" * 1000, compress="gzip")
    store.put("a/2", b"y")
    store.put("a/3", b"z")
    store.delete(["a/3"])
    assert store.get("a/1") == b"x" * 1000
    tallied = TALLY.end()
    packed = compress(b"x" * 1000, "gzip")
    assert tallied.outputs == {"a/1": (len(packed), zlib.crc32(packed)), "a/2": (1, zlib.crc32(b"y"))}
    assert (tallied.bytes_in, tallied.bytes_out) == (len(packed), len(packed) + 2)


def test_only_files_can_be_appended_to(store: Store) -> None:
    if store.can_append:
        store.append("ledger/w", b"one\n")
        store.append("ledger/w", b"two\n")
        assert store.get("ledger/w") == b"one\ntwo\n"
    else:
        with pytest.raises(Fatal, match="ledger/w"):
            store.append("ledger/w", b"one\n")


def test_a_part_of_an_object_is_read(reopen: Callable[[], Store]) -> None:
    data = bytes(range(256)) * 40
    reopen().put("s/0.shard", data)
    store = reopen()
    for start, stop in ((0, 16), (16, 17), (1000, 5000), (0, len(data)), (len(data) - 1, len(data))):
        assert store.get_range("s/0.shard", start, stop) == data[start:stop]


def test_a_part_ends_where_the_object_does(store: Store) -> None:
    store.put("k", b"0123456789")
    assert store.get_range("k", 8, 99) == b"89"
    assert store.get_range("k", 9, 1 << 60) == b"9"  # no memory is taken for what is not there
    assert store.get_range("k", 10, 20) == b""
    assert store.get_range("k", 1 << 40, 1 << 41) == b""
    assert store.get_range("k", 5, 5) == b""


def test_a_part_of_what_is_not_there_is_none(store: Store) -> None:
    assert store.get_range("a/b", 0, 10) is None


@pytest.mark.parametrize("compress", get_args(Compression))
def test_a_part_of_a_compressed_object_is_refused(store: Store, compress: Compression) -> None:
    store.put("a/k", b"x" * 1000, compress=compress)
    with pytest.raises(BadInput, match="a/k is stored compressed"):
        store.get_range("a/k", 0, 5)


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_an_object_can_be_had_as_it_is_stored(store: Store, compress: Compression | None) -> None:
    from teravox.pipeline.storage.compression import compress as pack

    store.put("k", b"x" * 1000, compress=compress)
    assert store.get_stored("k") == (pack(b"x" * 1000, compress), compress)
    assert store.get_stored("none") is None


def test_an_object_that_is_longer_than_it_may_be_is_refused_by_name(store: Store) -> None:
    store.put("a/k", b"x" * 1000)
    assert store.get_stored("a/k", most=1000) == (b"x" * 1000, None)
    with pytest.raises(BadInput, match="a/k has 1,000 bytes where at most 999 can be expected"):
        store.get_stored("a/k", most=999)


@pytest.mark.parametrize("compress", get_args(Compression))
def test_a_level_says_how_hard_a_compression_tries(store: Store, compress: Compression) -> None:
    levels = LEVELS[compress]
    choice = random.Random(1)
    data = b"".join(choice.choice((b"one", b"two", b"three", b"%d" % choice.randrange(99))) for _ in range(20_000))
    sizes = []
    for level in (levels.least, levels.usual, levels.most, None):
        store.put("k", data, compress=compress, level=level)
        assert store.get("k") == data
        stored = store.get_stored("k")
        assert stored is not None
        sizes.append(len(stored[0]))
    least, usual, most, default = sizes
    assert least > most
    assert least >= usual == default
