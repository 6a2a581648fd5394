"""The ledger in the stores that jobs use, and what kills and other programs do to it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest
from ledger.some_records import make_record

from teravox import __version__
from teravox.pipeline.box import Box
from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.job import Job
from teravox.pipeline.ledger import Ledger, finish_if_complete, skip_done
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.storage.open import open_store

JOB_ID = "fedcba9876543210" * 2

WRITE_FOR_EVER = f"""
import sys
from ledger.some_records import make_record
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.storage.open import open_store

writer = Ledger(open_store(sys.argv[1]), "{JOB_ID}").writer("w")
for number in range(int(sys.argv[2]), 10**9):
    writer.add(make_record(number, outputs=50))
    writer.flush()
    print(number, flush=True)
"""


class Blur(Job[Box], frozen=True):
    """Blur a layer."""

    layer: str

    def pieces(self) -> Sequence[Box]:
        return []


@pytest.mark.parametrize("place", ["file", "mem"])
def test_a_job_goes_through_its_ledger(place: str, tmp_path: Path) -> None:
    url = str(tmp_path / "seg") if place == "file" else f"mem://{uuid.uuid4()}/seg"
    ledger = Ledger(open_store(url), JOB_ID)
    ledger.open("blur", Blur(layer=url), 10, f"teravox blur {url}")
    for half in (range(4), range(3, 10)):
        assert not finish_if_complete(ledger, Blur(layer=url))
        writer = ledger.writer("node1-17")
        for number in half:
            writer.add(make_record(number, version=__version__))
        writer.flush()
    assert sorted(int(record.id, 16) for record in ledger.records()) == list(range(10))
    assert ledger.summary().tasks == 10
    left = skip_done([Entry(f"{number:032x}", b"{}") for number in (3, 12)], ledger)
    assert [entry.id for entry in left] == [f"{12:032x}"]
    assert finish_if_complete(Ledger(open_store(url), JOB_ID), Blur(layer=url))
    assert ledger.finished()
    assert not Ledger(open_store(url), "0" * 32).finished()


@pytest.mark.skipif(shutil.which("zcat") is None, reason="needs zcat")
def test_zcat_shows_a_ledger(tmp_path: Path) -> None:
    writer = Ledger(open_store(str(tmp_path)), JOB_ID).writer("w")
    for number in range(3):
        writer.add(make_record(number))
        writer.flush()
    (file,) = tmp_path.rglob("*.jsonl-gz")
    shown = subprocess.run(["zcat", file], check=True, capture_output=True, text=True).stdout
    assert [line.startswith('{"id":"') for line in shown.splitlines()] == [True] * 3


def test_what_was_flushed_before_a_kill_is_there(tmp_path: Path) -> None:
    url = str(tmp_path / "seg")
    flushed: list[int] = []
    for start in range(0, 500, 100):
        command = [sys.executable, "-c", WRITE_FOR_EVER, url, str(start)]
        tests = str(Path(__file__).parent.parent)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": tests}) as child:
            assert child.stdout is not None
            for line in child.stdout:
                flushed.append(int(line))
                if len(flushed) % 37 == 0:
                    child.send_signal(signal.SIGKILL)
                    break
            flushed += [int(line) for line in child.stdout if line.endswith("\n")]
    recorded = {int(record.id, 16) for record in Ledger(open_store(url), JOB_ID).records()}
    assert set(flushed) <= recorded
    assert len(recorded) <= len(set(flushed)) + 5


def test_workers_write_side_by_side(tmp_path: Path) -> None:
    ledger = Ledger(open_store(str(tmp_path)), JOB_ID)

    def write(worker: int) -> None:
        writer = ledger.writer("a name that all share")
        for number in range(50):
            writer.add(make_record(worker * 50 + number))
            writer.flush()

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(record.id, 16) for record in ledger.records()) == list(range(400))


def test_a_store_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file where the folder should be")
    writer = Ledger(open_store(str(tmp_path)), JOB_ID).writer("w")
    writer.add(make_record(0))
    with pytest.raises(TeravoxError, match="ledger"):
        writer.flush()
