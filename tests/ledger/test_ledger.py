from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger.memory_store import MemoryStore
from ledger.some_records import make_record

from teravox import __version__
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.job import Job
from teravox.pipeline.ledger import Ledger, Record
from teravox.pipeline.ledger.members import pack

JOB_ID = "0123456789abcdef" * 2


class Blur(Job[Box], frozen=True):
    """Blur a layer."""

    layer: str
    secret_key: str = ""
    sigma: float = 1.5
    notes: tuple[str, ...] = ()


def write(ledger: Ledger, *records: Record, worker: str = "w1") -> None:
    writer = ledger.writer(worker)
    for record in records:
        writer.add(record)
    writer.flush()


def opened(store: MemoryStore, total: int = 4) -> Ledger:
    ledger = Ledger(store, JOB_ID)
    ledger.open("blur", Blur(layer="./em"), total, "teravox blur ./em")
    return ledger


def test_opening_writes_down_what_was_asked_for(store: MemoryStore) -> None:
    ledger = Ledger(store, JOB_ID)
    assert ledger.job() is None
    said = ledger.open("blur", Blur(layer="./em"), 4, "teravox blur ./em")
    assert ledger.job() == said
    assert json.loads(store.objects[f"ledger/{JOB_ID}/job.json"]) == {
        "kind": "blur",
        "job": {"layer": "./em", "secret_key": "***", "sigma": 1.5, "notes": []},
        "version": __version__,
        "total": 4,
        "time": said.time,
        "command": "teravox blur ./em",
    }


def test_a_ledger_that_is_removed_knows_nothing_and_others_stay(store: MemoryStore) -> None:
    ledger = opened(store)
    write(ledger, make_record(1))
    Ledger(store, "f" * 32).open("blur", Blur(layer="./em"), 4, "")
    ledger.remove()
    ledger.remove()
    assert list(store.objects) == [f"ledger/{'f' * 32}/job.json"]
    assert (ledger.job(), ledger.is_complete(), len(ledger.done(None))) == (None, False, 0)


def test_a_repeat_keeps_the_first_and_takes_back_the_mark_of_the_end(store: MemoryStore) -> None:
    ledger = opened(store)
    before = store.objects[f"ledger/{JOB_ID}/job.json"]
    ledger.mark_finished()
    assert ledger.finished()
    ledger.open("blur", Blur(layer="./em"), 4, "teravox blur ./em --queue ./other")
    assert store.objects[f"ledger/{JOB_ID}/job.json"] == before
    assert not ledger.finished()


def test_a_job_that_has_other_pieces_than_before_is_refused(store: MemoryStore) -> None:
    opened(store, total=4)
    with pytest.raises(
        BadInput, match=r"job\.json says that this job has 4 pieces, and now it has 5: .* Delete ledger/"
    ):
        opened(store, total=5)


def test_no_credential_gets_into_a_ledger(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted/in+env0")
    ledger = Ledger(store, JOB_ID)
    ledger.open(
        "blur",
        Blur(
            layer="https://me:planted-in-url@host/em",
            secret_key="planted-in-field",
            notes=("harmless", "gs://me:planted-in-list@b"),
        ),
        4,
        "teravox blur https://me:planted-in-url@host/em --token planted-in-option --x planted/in+env0",
    )
    write(ledger, make_record(0))
    for data in store.objects.values():
        assert b"planted" not in data
    job = ledger.job()
    assert job is not None
    assert job.job["notes"] == ["harmless", "gs://***@b"]
    assert job.command == "teravox blur https://***@host/em --token *** --x ***"


def test_a_job_file_that_is_none_is_told(store: MemoryStore) -> None:
    store.objects[f"ledger/{JOB_ID}/job.json"] = b'{"kind":"blur"}'
    with pytest.raises(BadInput, match=r"memory://test/ledger/\w+/job\.json is not what teravox .* writes: "):
        Ledger(store, JOB_ID).job()


def test_records_come_back_as_they_were_written(store: MemoryStore) -> None:
    ledger = opened(store)
    records = [make_record(number, outputs=number) for number in range(5)]
    write(ledger, *records[:3])
    write(ledger, *records[3:], worker="w2")
    assert sorted(ledger.records(), key=lambda record: record.id) == records
    piece = msgspec.convert(next(iter(ledger.records())).piece, Box)
    assert piece.size == (1, 1, 1)


def test_a_piece_is_written_as_its_kind_declares_it(store: MemoryStore) -> None:
    ledger = opened(store)
    box = Box((0, 0, 0), (4, 5, 6))
    write(ledger, msgspec.structs.replace(make_record(0), piece=box))
    (record,) = ledger.records()
    assert msgspec.convert(record.piece, Box) == box


def test_of_a_task_that_ran_twice_the_last_end_counts(store: MemoryStore) -> None:
    ledger = opened(store)
    write(ledger, make_record(1, started=50.0, version="new"), make_record(2), worker="w2")
    write(ledger, make_record(1, started=10.0, version="old"), make_record(1, started=20.0, version="old"))
    write(ledger, make_record(3), worker="w0")
    records = {record.id: record for record in ledger.records()}
    assert len(list(ledger.records())) == 3
    assert records[f"{1:032x}"].started == 50.0
    assert ledger.summary().tasks == 3


def test_of_two_records_that_ended_together_one_counts(store: MemoryStore) -> None:
    ledger = opened(store)
    for _ in range(3):
        write(ledger, make_record(1), make_record(1))
    assert len(list(ledger.records())) == 1
    assert len(ledger.done(None)) == 1


def test_done_holds_the_tasks_of_one_version_or_of_all(store: MemoryStore) -> None:
    ledger = opened(store)
    write(ledger, make_record(1, version="1.0"), make_record(2, version="2.0"))
    write(ledger, make_record(3, version="1.0", started=5.0), make_record(3, version="2.0", started=90.0))
    assert [f"{n:032x}" in ledger.done("1.0") for n in range(1, 4)] == [True, False, False]
    assert [f"{n:032x}" in ledger.done("2.0") for n in range(1, 4)] == [False, True, True]
    assert [f"{n:032x}" in ledger.done(None) for n in range(5)] == [False, True, True, True, False]
    assert len(ledger.done("3.0")) == 0


def test_an_empty_ledger_says_that_nothing_is_done(store: MemoryStore) -> None:
    ledger = Ledger(store, JOB_ID)
    assert list(ledger.records()) == []
    assert len(ledger.done(None)) == 0
    assert not ledger.is_complete()
    assert not ledger.finished()
    assert ledger.summary().tasks == 0
    assert ledger.summary().started is None


def test_a_job_is_complete_when_every_piece_was_done_once(store: MemoryStore) -> None:
    ledger = opened(store, total=3)
    write(ledger, make_record(1), make_record(2), make_record(2))
    assert not ledger.is_complete()
    write(ledger, make_record(3, version="another"))
    assert ledger.is_complete()


def test_a_job_without_pieces_is_complete(store: MemoryStore) -> None:
    assert opened(store, total=0).is_complete()


def test_the_names_in_a_bucket_tell_that_a_job_is_not_complete(bucket: MemoryStore) -> None:
    ledger = opened(bucket, total=100)
    for number in range(50):
        write(ledger, make_record(number))
    bucket.calls.clear()
    assert not ledger.is_complete()
    assert bucket.calls == ["get", "list"]


def test_a_summary_adds_up_what_counts(store: MemoryStore) -> None:
    ledger = opened(store)
    write(ledger, *(make_record(number, started=100.0 + number) for number in range(4)))
    write(ledger, make_record(3, started=1.0))
    totals = ledger.summary()
    assert msgspec.structs.asdict(totals) == {
        "tasks": 4,
        "seconds": 8.0,
        "cpu_seconds": 6.0,
        "peak_bytes": 1003,
        "bytes_in": 40,
        "bytes_out": 80,
        "started": 100.0,
        "ended": 105.0,
    }


def test_a_torn_end_hides_nothing_else(file_store: MemoryStore) -> None:
    ledger = opened(file_store)
    write(ledger, make_record(1), make_record(2))
    write(ledger, make_record(3), worker="w2")
    (key,) = (key for key in file_store.objects if "/w1." in key)
    file_store.objects[key] = file_store.objects[key][:-5]
    assert {int(record.id, 16) for record in ledger.records()} == {1, 3}
    assert len(ledger.done(None)) == 2


def test_a_file_that_is_damaged_in_the_middle_is_named(file_store: MemoryStore) -> None:
    ledger = opened(file_store)
    write(ledger, *map(make_record, range(5)))
    (key,) = (key for key in file_store.objects if "/w1." in key)
    data = file_store.objects[key]
    file_store.objects[key] = data[:200] + b"????????" + data[208:]
    with pytest.raises(BadInput, match=rf"the ledger file memory://test/{key} cannot be read: at byte .*delete it"):
        list(ledger.records())


def test_a_record_that_is_none_is_named(store: MemoryStore) -> None:
    ledger = opened(store)
    write(ledger, make_record(1))
    key = next(key for key in store.objects if "/w1." in key)
    for line in (b'{"id":"0"}', b"[]", b"{", b"\xff", b'{"id":"../../../../../../etc/passwd/x"}'):
        store.objects[key] = pack([line])
        with pytest.raises(BadInput, match="cannot be read"):
            ledger.done(None)


def test_a_field_of_another_teravox_is_named(store: MemoryStore) -> None:
    ledger = opened(store)
    key = f"ledger/{JOB_ID}/w.00.000000-1.jsonl-gz"
    store.objects[key] = pack([b'{"new_field":1,' + msgspec.json.encode(make_record(1))[1:]])
    with pytest.raises(BadInput, match="unknown field `new_field`"):
        list(ledger.records())


def test_foreign_objects_in_a_ledger_are_left_alone(store: MemoryStore) -> None:
    ledger = opened(store)
    write(ledger, make_record(1))
    for name in (".DS_Store", ".nfs0001", "notes.txt", "w.jsonl-gz.tmp"):
        store.objects[f"ledger/{JOB_ID}/{name}"] = b"?"
    store.objects["ledger/another/w.00.000000.jsonl-gz"] = pack([msgspec.json.encode(make_record(2))])
    assert [int(record.id, 16) for record in ledger.records()] == [1]


def test_what_is_written_while_records_are_read_is_not_mixed_in(store: MemoryStore) -> None:
    ledger = opened(store)
    writer = ledger.writer("w1")
    writer.add(make_record(1))
    writer.flush()
    records = ledger.records()
    writer.add(make_record(1, started=9e9))
    writer.add(make_record(2))
    writer.flush()
    assert [record.started for record in records] == [1000.0]
    assert len(list(ledger.records())) == 2


@given(
    runs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.sampled_from("ab")), max_size=30),
    cut=st.integers(1, 30),
)
def test_the_ledger_agrees_with_a_dictionary(runs: list[tuple[int, int, str]], cut: int) -> None:
    store = MemoryStore(can_append=cut % 2 == 0)
    ledger = Ledger(store, JOB_ID)
    ends: dict[str, int] = {}
    for at in range(0, len(runs), cut):
        records = [make_record(id, started=float(start), version=version) for id, start, version in runs[at : at + cut]]
        write(ledger, *records)
        for record in records:
            ends[record.id] = max(ends.get(record.id, 0), int(record.started))
    assert {record.id: int(record.started) for record in ledger.records()} == ends
    assert len(ledger.done(None)) == len(ends) == ledger.summary().tasks
    assert sum(len(ledger.done(version)) for version in "ab") == len(ends)
