from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from planning.planned import make_job, plan
from planning.volumes import grey, write_volumes

from teravox import __version__
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger, Record
from teravox.pipeline.message import job_id, task_id
from teravox.pipeline.planning.earlier_runs import find_rate
from teravox.pipeline.storage.open import open_store

KIND = "image downsample"


@pytest.fixture
def layer(tmp_path: Path) -> str:
    """A layer of 64 voxels each way, in chunks of 32, of which nothing but the info is there."""
    write_volumes(tmp_path)
    make_job("create", **grey(tmp_path, "em")).prepare()
    return f"file://{tmp_path}/em"


def record(job: AnyJob, cpu_ns: list[float], *, worker: str = "w", version: str = __version__, **more: Any) -> None:
    """A run whose tasks took so many nanoseconds of the processor a voxel, one after another."""
    ledger = Ledger(open_store(job.home()), job_id(KIND, job))
    ledger.open(KIND, job, len(job.pieces()), "teravox image downsample")
    writer = ledger.writer(worker)
    for number, (piece, cost) in enumerate(zip(job.pieces(), cpu_ns, strict=False)):
        took = cost * piece.voxels / 1e9
        said = {
            "id": task_id(KIND, job, piece),
            "piece": msgspec.to_builtins(piece),
            "version": version,
            "host": "h",
            "worker": worker,
            "attempt": 1,
            "started": float(number),
            "seconds": 2 * took,
            "cpu_seconds": took,
            "peak_bytes": 1,
            "bytes_in": 1,
            "bytes_out": piece.voxels // 2,
            "outputs": {},
        }
        writer.add(msgspec.convert({**said, **more}, Record))
    writer.flush()


def test_the_rate_is_that_of_the_tasks_without_the_first_one_of_a_worker(layer: str) -> None:
    job = make_job(KIND, layer=layer, num_mips=1, shape=(64, 64, 32))
    record(job, [1000.0, 10.0])

    rate = find_rate(KIND, job)

    assert rate is not None
    assert rate.cpu_ns == pytest.approx(10.0)
    assert rate.ns == pytest.approx(20.0)
    assert rate.bytes_out == pytest.approx(0.5)
    assert "teravox image downsample" in rate.source


def test_the_run_that_is_most_alike_counts(layer: str) -> None:
    record(make_job(KIND, layer=layer, num_mips=1, shape=(64, 64, 32), method="min"), [5.0, 5.0])
    record(make_job(KIND, layer=layer, num_mips=1, shape=(64, 64, 32), method="max"), [7.0, 7.0])

    rate = find_rate(KIND, make_job(KIND, layer=layer, num_mips=1, shape=(64, 64, 32), method="max", compress="none"))

    assert rate is not None
    assert rate.cpu_ns == pytest.approx(7.0)


def test_other_kinds_and_layers_without_runs_say_nothing(layer: str) -> None:
    record(make_job(KIND, layer=layer, num_mips=1, shape=(64, 64, 32)), [5.0, 5.0])

    assert find_rate("image count", make_job("image count", layer=layer)) is None


def test_a_plan_reckons_with_the_earlier_run(layer: str) -> None:
    job = make_job(KIND, layer=layer, num_mips=1, shape=(64, 64, 32))
    assert plan(KIND, job).rate != find_rate(KIND, job)
    record(job, [1000.0, 100.0])

    planned = plan(KIND, job)

    assert planned.rate == find_rate(KIND, job)
    assert planned.voxels == 64**3
    assert planned.cpu_seconds(1) == pytest.approx(64**3 * 100e-9 + planned.start)
    assert planned.writes.bytes == pytest.approx(64**3 / 2)


def test_records_of_versions_that_did_not_count_requests_are_read(layer: str) -> None:
    job = make_job(KIND, layer=layer, num_mips=1, shape=(64, 64, 32))
    record(job, [1.0, 1.0])
    ledger = Ledger(open_store(job.home()), job_id(KIND, job))

    (first, _) = ledger.records()
    old = {name: value for name, value in msgspec.to_builtins(first).items() if not name.startswith("requests")}

    assert msgspec.convert(old, Record) == first
    assert first.requests_in == first.requests_out == 0


def test_of_a_long_ledger_some_records_are_enough(layer: str) -> None:
    job = make_job(KIND, layer=layer, num_mips=1, shape=(64, 64, 32))
    record(job, [1.0, 2.0], worker="a")
    record(job, [3.0, 4.0], worker="b")
    ledger = Ledger(open_store(job.home()), job_id(KIND, job))

    assert len(list(ledger.some_records(3))) == 3
    assert len(list(ledger.some_records(100))) == 4  # both tasks, as often as they ran
    assert len(list(ledger.records())) == 2
