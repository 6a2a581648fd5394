from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from quality.volumes import cells

from teravox import __version__
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.ledger import Ledger, Record
from teravox.pipeline.message import job_id
from teravox.pipeline.quality.costs import BINS, SHOWN, JobCost, cost_of
from teravox.pipeline.registry import Registry
from teravox.pipeline.verification.known_jobs import list_jobs
from teravox.tasks.image.downsample import Downsample

RANDOM = np.random.default_rng(0)
SECONDS = RANDOM.uniform(0.5, 90, 300).round(3)
PEAKS = RANDOM.integers(10**8, 10**9, 300)


@pytest.fixture(scope="module")
def cost(tmp_path_factory: pytest.TempPathFactory) -> JobCost:
    """A job of 300 tasks, each of which began a second after the one before, and the first of which ran twice."""
    path = make_layer(tmp_path_factory.mktemp("costs") / "seg", cells(32, 4), chunk=(16, 16, 16), type="segmentation")
    layer = Layer.open(path)
    job = Downsample(layer=layer.url, num_mips=1)
    ledger = Ledger(layer.store, job_id("image downsample", job))
    ledger.open("image downsample", job, 300, "teravox image downsample seg --token abcdefghijklm")
    writer = ledger.writer("pod-0")
    writer.add(record(0, started=0.0, seconds=5000.0))
    for number in range(300):
        writer.add(record(number, started=10_000.0 + number, seconds=float(SECONDS[number])))
    writer.flush()
    (known,) = list_jobs(layer.store, [], Registry(), [])
    return cost_of(known)


def record(number: int, *, started: float, seconds: float) -> Record:
    low = (16 * (number % 2), 16 * (number // 2 % 2), 0)
    return Record(
        id=f"{number:032x}",
        piece={"min": low, "max": (low[0] + 16, low[1] + 16, 32)},
        version=__version__,
        host="node-7",
        worker="pod-0",
        attempt=1,
        started=started,
        seconds=seconds,
        cpu_seconds=seconds / 2,
        peak_bytes=int(PEAKS[number]),
        bytes_in=1000,
        bytes_out=10,
        outputs={f"8_8_40/{number}": (10, 0)},
    )


def test_sums_are_those_of_the_records_that_count(cost: JobCost) -> None:
    assert (cost.tasks, cost.total, cost.bytes_in, cost.bytes_out) == (300, 300, 300_000, 3000)
    assert cost.seconds == pytest.approx(SECONDS.sum())
    assert cost.cpu_seconds == pytest.approx(SECONDS.sum() / 2)
    assert cost.peak_bytes == PEAKS.max()
    assert cost.median == pytest.approx(np.median(SECONDS))
    assert cost.slow == pytest.approx(np.percentile(SECONDS, 95))
    assert cost.started == 10_000
    assert cost.ended == pytest.approx((10_000 + np.arange(300) + SECONDS).max())


def test_the_slowest_and_the_heaviest_tasks_are_named_in_order(cost: JobCost) -> None:
    slowest = np.argsort(-SECONDS)[:SHOWN]
    heaviest = np.argsort(-PEAKS)[:SHOWN]
    assert [task.seconds for task in cost.slowest] == SECONDS[slowest].tolist()
    assert [task.peak_bytes for task in cost.heaviest] == PEAKS[heaviest].tolist()
    low = (16 * int(slowest[0] % 2), 16 * int(slowest[0] // 2 % 2))
    assert cost.slowest[0].piece == f"{low[0]},{low[1]},0:{low[0] + 16},{low[1] + 16},32"
    assert cost.slowest[0].host == "node-7"


def test_the_memory_that_a_task_was_promised_is_told(cost: JobCost) -> None:
    assert all(task.promised is not None and task.promised > 10**6 for task in cost.heaviest)


def test_tasks_over_time_are_all_there(cost: JobCost) -> None:
    ends = 10_000 + np.arange(300) + SECONDS
    counts, _ = np.histogram(ends, bins=BINS, range=(10_000, ends.max()))
    assert cost.finished_in == tuple(counts.tolist())


def test_the_edges_of_pieces_and_the_folders_are_noted(cost: JobCost) -> None:
    assert cost.intervals == (((0, 16), (16, 32)), ((0, 16), (16, 32)), ((0, 32),))
    assert cost.wrote == ("8_8_40",)


def test_the_command_keeps_no_secret(cost: JobCost) -> None:
    assert "abcdefghijklm" not in cost.command


def test_a_ledger_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "seg", cells(16, 4), chunk=(16, 16, 16), type="segmentation")
    layer = Layer.open(path)
    job = Downsample(layer=layer.url, num_mips=1)
    ledger = Ledger(layer.store, job_id("image downsample", job))
    ledger.open("image downsample", job, 2, "teravox")
    writer = ledger.writer("a")
    for number in range(2):
        writer.add(record(number, started=0.0, seconds=1.0))
    writer.flush()
    (file,) = Path(path, "ledger").glob("*/*.jsonl-gz")
    data = bytearray(file.read_bytes())
    data[30] ^= 0xFF
    file.write_bytes(data)
    (known,) = list_jobs(layer.store, [], Registry(), [])
    cost = cost_of(known)
    assert cost.trouble is not None and "cannot be read" in cost.trouble
