"""What only files can show: their names, what kills and full disks leave, what others put beside them."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from teravox.pipeline.errors import BadInput, Fatal, Transient
from teravox.pipeline.storage import atomic_write, file_store
from teravox.pipeline.storage.compression import ENDING, compress
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Compression

HOW: list[Compression] = list(get_args(Compression))


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("how", HOW)
def test_files_are_named_as_cloud_files_names_them(tmp_path: Path, how: Compression) -> None:
    from cloudfiles import CloudFiles

    open_store(str(tmp_path)).put("s/0-1", b"voxels" * 100, compress=how)
    assert names(tmp_path) == {"s/0-1" + ENDING[how]}
    assert CloudFiles(f"file://{tmp_path}").get("s/0-1") == b"voxels" * 100


@pytest.mark.parametrize("how", [None, *HOW])
def test_what_cloud_files_wrote_is_read(tmp_path: Path, how: Compression | None) -> None:
    from cloudfiles import CloudFiles

    CloudFiles(f"file://{tmp_path}").put("s/0-1", b"voxels" * 100, compress=how)
    assert open_store(str(tmp_path)).get("s/0-1") == b"voxels" * 100
    assert list(open_store(str(tmp_path)).list("s/")) == ["s/0-1"]


@pytest.mark.parametrize("how", HOW)
def test_the_same_bytes_make_the_same_file(tmp_path: Path, how: Compression) -> None:
    store = open_store(str(tmp_path))
    store.put("one", b"voxels" * 1000, compress=how)
    store.put("other", b"voxels" * 1000, compress=how)
    one, other = (tmp_path / f"{name}{ENDING[how]}" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    if how == "gzip":
        assert one.read_bytes()[3:8] == bytes(5)  # neither a name nor a time


def test_gzip_members_in_a_row_are_read(tmp_path: Path) -> None:
    (tmp_path / "k.gz").write_bytes(compress(b"one ", "gzip") + compress(b"two", "gzip"))
    assert open_store(str(tmp_path)).get("k") == b"one two"


@pytest.mark.parametrize("how", HOW)
def test_damaged_files_are_named_and_never_read_as_something_else(tmp_path: Path, how: Compression) -> None:
    whole = compress(os.urandom(1000) + b"x" * 10_000, how)
    for part in (b"", whole[:5], whole[: len(whole) // 2], whole[:-1]):
        (tmp_path / f"chunk{ENDING[how]}").write_bytes(part)
        with pytest.raises(BadInput, match=f"{tmp_path}/chunk cannot be read"):
            open_store(str(tmp_path)).get("chunk")


def test_a_key_in_two_compressions_is_listed_twice_with_sizes(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"12345")
    (tmp_path / "key.gz").write_bytes(b"123")
    store = open_store(str(tmp_path))
    assert sorted(store.list_sizes(), key=lambda row: row[1]) == [("key", 3, "gzip"), ("key", 5, None)]
    assert list(store.list()) == ["key"]


def test_unfinished_writes_are_not_listed(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("a/chunk", b"x")
    (tmp_path / "a" / f".chunk.{'0' * 16}.tmp").write_bytes(b"half")
    (tmp_path / "a" / ".hidden").write_bytes(b"a file of somebody's")
    assert set(store.list()) == {"a/chunk", "a/.hidden"}


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("ä" * 125, b"x")
    assert store.get("ä" * 125) == b"x"
    with pytest.raises(Fatal, match="ENAMETOOLONG"):
        store.put("x" * 256, b"x")


def test_a_folder_in_the_place_of_a_file_is_no_object(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("a/b", b"x")
    assert store.get("a") is None
    assert store.get("a/b/c") is None
    store.delete(["a", "a/b/c"])
    assert store.get("a/b") == b"x"
    with pytest.raises(Fatal, match="EISDIR"):
        store.put("a", b"x")


@pytest.mark.parametrize("durable", [False, True])
def test_the_old_version_is_there_until_the_new_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    store = open_store(str(tmp_path), durable=durable)
    store.put("a/k", b"old", compress="gzip")
    seen: list[set[str]] = []
    for name in ("open", "write", "rename", "unlink", "fsync"):
        real = getattr(os, name)

        def call(*args: object, real: object = real, **options: object) -> object:
            seen.append({n for n in names(tmp_path) if not n.endswith(".tmp")})
            return real(*args, **options)  # type: ignore[operator]  # one of the functions above

        monkeypatch.setattr(os, name, call)
    store.put("a/k", b"new")
    assert all(seen)
    assert {"a/k", "a/k.gz"} in seen
    assert names(tmp_path) == {"a/k"}


@pytest.mark.parametrize(
    ("call", "number", "kind"),
    [
        ("write", errno.ENOSPC, Fatal),
        ("write", errno.EDQUOT, Fatal),
        ("write", errno.EIO, Transient),
        ("open", errno.EACCES, Fatal),
        ("open", errno.EROFS, Fatal),
        ("open", errno.EMFILE, Fatal),
        ("rename", errno.ENOSPC, Fatal),
        ("rename", errno.ESTALE, Transient),
        ("fsync", errno.EIO, Transient),
        ("close", errno.EDQUOT, Fatal),
    ],
)
def test_a_refused_write_says_path_and_errno_and_leaves_the_old_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, kind: type[Exception]
) -> None:
    store = open_store(str(tmp_path), durable=True)
    store.put("a/k", b"old")
    real = getattr(os, call)

    def refuse(*args: object, **options: object) -> object:
        if call == "close":
            real(*args, **options)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(kind) as caught:
            store.put("a/k", b"new" * 100)
    assert f"{tmp_path}/a/k" in str(caught.value)
    assert errno.errorcode[number] in str(caught.value)
    assert store.get("a/k") == b"old"
    assert names(tmp_path) == {"a/k"}


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
    store = open_store(str(tmp_path))
    store.put("k", bytes(range(100)))
    assert store.get("k") == bytes(range(100))


def test_a_record_is_appended_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(str(tmp_path))
    store.append("ledger/w", b"one\n")
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:2]))
        with pytest.raises(Fatal, match="ENOSPC"):
            store.append("ledger/w", b"two\n")
    store.append("ledger/w", b"three\n")
    assert store.get("ledger/w") == b"one\nthree\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mount.returncode:
        pytest.skip(f"no file system can be mounted here: {mount.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_the_old_object_and_nothing_else(small_disk: Path) -> None:
    store = open_store(str(small_disk))
    store.put("k", b"o" * 300_000)
    with pytest.raises(Fatal, match=rf"cannot write {small_disk}/k: No space left on device \(ENOSPC\)"):
        store.put("k", b"n" * 3_000_000)
    assert store.get("k") == b"o" * 300_000
    assert names(small_disk) == {"k"}
    with pytest.raises(Fatal, match="ENOSPC"):
        store.append("k", b"n" * 3_000_000)
    assert store.get("k") == b"o" * 300_000


def versioned(number: int) -> bytes:
    """A large object that carries its own checksum."""
    body = b"%08d" % number * 40_000
    return hashlib.sha256(body).digest() + body


def overwrite_for_ever(url: str) -> None:
    store = open_store(url)
    number = 0
    while True:
        number += 1
        store.put("k", versioned(number))


def test_killed_writers_never_leave_half_an_object(tmp_path: Path) -> None:
    url = str(tmp_path)
    store = open_store(url)
    store.put("k", versioned(0))
    context = multiprocessing.get_context("fork")
    reads = 0
    for _ in range(8):
        writer = context.Process(target=overwrite_for_ever, args=(url,))
        writer.start()
        assert writer.pid is not None
        before, changes, deadline = store.get("k"), 0, time.monotonic() + 30
        while changes < 5:
            data = store.get("k")
            assert data is not None
            assert hashlib.sha256(data[32:]).digest() == data[:32]
            changes += data != before
            before = data
            reads += 1
            assert time.monotonic() < deadline
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        data = store.get("k")
        assert data is not None
        assert hashlib.sha256(data[32:]).digest() == data[:32]
    assert reads >= 40
    assert list(store.list()) == ["k"]
    left = names(tmp_path) - {"k"}
    assert all(atomic_write.is_temporary(name) for name in left)


def test_a_version_is_found_whose_compression_changes_between_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path))
    store.put("k", b"x", compress="gzip")
    looks: list[str] = []

    def look(path: str, *args: Any, **options: Any) -> Any:
        looks.append(path)
        if len(looks) == 2:  # where it was not, it is now, and the other is gone
            (tmp_path / "k").write_bytes(b"x")
            (tmp_path / "k.gz").unlink()
        return open(path, *args, **options)  # noqa: PTH123 - stands in for open

    monkeypatch.setattr(file_store, "open", look, raising=False)
    assert store.get("k") == b"x"
    assert len(looks) > 2


def test_a_version_is_always_found_while_its_compression_changes(tmp_path: Path) -> None:
    url = str(tmp_path)
    store = open_store(url)
    store.put("k", b"x" * 100)
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=_change_compression, args=(url, 300))
    writer.start()
    while writer.is_alive():
        assert store.get("k") == b"x" * 100
    writer.join()
    assert writer.exitcode == 0


def _change_compression(url: str, times: int) -> None:
    store = open_store(url)
    for number in range(times):
        store.put("k", b"x" * 100, compress=(None, *HOW)[number % 4])
