from __future__ import annotations

import gzip
import json

import msgspec
import pytest
from ledger.memory_store import MemoryStore
from ledger.some_records import make_record

from teravox.pipeline.errors import Transient
from teravox.pipeline.ledger import LedgerWriter
from teravox.pipeline.ledger import writer as writer_file


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(key: str, data: bytes) -> None:
    raise Transient(f"cannot write {key}")


def writer_of(store: MemoryStore, worker: str = "node1-17", clock: Clock | None = None) -> LedgerWriter:
    return LedgerWriter(store, "ledger/abc", worker, clock or Clock())


def lines_in(store: MemoryStore) -> list[bytes]:
    return [line for data in store.objects.values() for line in gzip.decompress(data).splitlines()]


def test_nothing_is_written_before_a_record_is_there(store: MemoryStore) -> None:
    writer = writer_of(store)
    writer.flush()
    assert not writer.is_due()
    assert store.calls == []


def test_what_zcat_shows_is_one_line_of_json_a_record(store: MemoryStore) -> None:
    writer = writer_of(store)
    for number in range(3):
        writer.add(make_record(number))
    writer.flush()
    assert [json.loads(line)["id"] for line in lines_in(store)] == [f"{number:032x}" for number in range(3)]
    assert json.loads(lines_in(store)[1])["outputs"] == {"8_8_40/1-0": [0, 4294967295], "8_8_40/1-1": [1, 4294967294]}


def test_a_file_is_due_at_once_and_written_by_one_call(file_store: MemoryStore) -> None:
    writer = writer_of(file_store)
    for number in range(5):
        writer.add(make_record(number))
        assert writer.is_due()
        writer.flush()
        assert not writer.is_due()
    assert file_store.calls == ["append"] * 5
    assert len(file_store.objects) == 1


def test_an_object_is_due_when_its_oldest_record_is_30_seconds_old(bucket: MemoryStore) -> None:
    clock = Clock()
    writer = writer_of(bucket, clock=clock)
    writer.add(make_record(0))
    clock.now = 29.9
    writer.add(make_record(1))
    assert not writer.is_due()
    clock.now = 30.0
    assert writer.is_due()
    writer.flush()
    assert bucket.calls == ["put"]
    clock.now = 31.0
    writer.add(make_record(2))
    assert not writer.is_due()


def test_an_object_is_due_when_200_records_wait(bucket: MemoryStore) -> None:
    writer = writer_of(bucket)
    for number in range(199):
        writer.add(make_record(number))
    assert not writer.is_due()
    writer.add(make_record(199))
    assert writer.is_due()
    assert len(writer) == 200


def test_an_object_is_due_when_its_records_are_large(bucket: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_file, "MOST_BYTES", 20_000)
    writer = writer_of(bucket)
    writer.add(make_record(0, outputs=100))
    assert not writer.is_due()
    writer.add(make_record(0, outputs=1000))
    assert writer.is_due()
    writer.flush()
    writer.add(make_record(0, outputs=100))
    assert not writer.is_due()


def test_each_flush_to_a_bucket_is_an_object_that_says_how_many_records_it_holds(bucket: MemoryStore) -> None:
    writer = writer_of(bucket)
    for number in range(3):
        for _ in range(number + 1):
            writer.add(make_record(number))
        writer.flush()
    assert [key.split(".", 2)[2] for key in bucket.objects] == [
        "000000-1.jsonl-gz",
        "000001-2.jsonl-gz",
        "000002-3.jsonl-gz",
    ]
    assert [writer_file.count_in_name(key) for key in bucket.objects] == [1, 2, 3]


def test_a_file_that_has_grown_large_is_followed_by_another(
    file_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_file, "FILE_BYTES", 2000)
    writer = writer_of(file_store)
    for number in range(20):
        writer.add(make_record(number))
        writer.flush()
    assert len(file_store.objects) > 2
    assert all(len(data) <= 2000 for data in file_store.objects.values())
    assert len(lines_in(file_store)) == 20
    assert {writer_file.count_in_name(key) for key in file_store.objects} == {None}


@pytest.mark.parametrize(
    "key", ["w.12345678.000001.jsonl-gz", "node-1.12345678.000001.jsonl-gz", "1-2.x.000001-x.jsonl-gz"]
)
def test_a_name_that_says_no_count_is_not_misread(key: str) -> None:
    assert writer_file.count_in_name(f"ledger/abc/{key}") is None


def test_two_workers_of_one_name_never_share_a_file(store: MemoryStore) -> None:
    for _ in range(2):
        writer = writer_of(store)
        writer.add(make_record(0))
        writer.flush()
    assert len(store.objects) == 2


@pytest.mark.parametrize(
    "worker", ["../../etc/passwd", "/abs", "a b:c", "", "...", "x\0y", "ü" * 300, "\udcff", "a\nb"]
)
def test_a_worker_cannot_name_a_place_outside(store: MemoryStore, worker: str) -> None:
    writer = writer_of(store, worker)
    writer.add(make_record(0))
    writer.flush()
    (key,) = store.objects
    folder, _, name = key.rpartition("/")
    assert folder == "ledger/abc"
    assert name.isascii() and name.isprintable() and len(name) < 150
    assert not name.startswith(("-", ".")) and ".." not in name


def test_workers_whose_names_cannot_be_files_still_have_files_of_their_own(store: MemoryStore) -> None:
    names = set()
    for worker in ("node1:17", "node1/17", "node1-17"):
        store.objects.clear()
        writer = writer_of(store, worker)
        writer.add(make_record(0))
        writer.flush()
        names.add(next(iter(store.objects)).split(".")[0])
    assert len(names) == 3


def test_a_flush_that_fails_says_so_and_keeps_its_records(store: MemoryStore) -> None:
    writer = writer_of(store)
    writer.add(make_record(0))
    store.fails.append(fail)
    with pytest.raises(Transient, match="cannot write ledger/abc/"):
        writer.flush()
    assert len(writer) == 1
    writer.flush()
    assert len(writer) == 0
    assert len(lines_in(store)) == 1


def test_nothing_is_written_behind_half_a_record(file_store: MemoryStore) -> None:
    def fill_the_disk(key: str, data: bytes) -> None:
        file_store.objects[key] += data[: len(data) // 2]
        raise OSError(28, "No space left on device")

    writer = writer_of(file_store)
    writer.add(make_record(0))
    writer.flush()
    file_store.fails.append(fill_the_disk)
    writer.add(make_record(1))
    with pytest.raises(OSError, match="No space left"):
        writer.flush()
    torn = next(iter(file_store.objects))
    before = file_store.objects[torn]
    writer.flush()
    assert file_store.objects[torn] == before
    assert len(file_store.objects) == 2


@pytest.mark.parametrize("id", ["", "7", "g" * 32, "A" * 32, "0" * 33, "0" * 32 + "\n", "b3e2-message-of-a-queue"])
def test_a_record_that_readers_would_refuse_is_not_written(store: MemoryStore, id: str) -> None:
    writer = writer_of(store)
    with pytest.raises(ValueError, match="a record is named by the hash of its task"):
        writer.add(msgspec.structs.replace(make_record(0), id=id))
    assert len(writer) == 0
