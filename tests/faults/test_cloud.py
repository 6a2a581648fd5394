"""T1 in the cloud: a layer in a bucket of a real S3 server, tasks in SQS, workers that are killed."""

from __future__ import annotations

import gzip
import json
import random
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import msgspec
import pytest
from faults.trials import WORKER, check_ledger, executions, expected, outputs, put, trial
from faults.workers import fleet, until
from layers.make import make_layer, voxels
from servers.daemon import or_skip
from servers.ministack import ministack
from servers.seaweed import S3, seaweed

from teravox.pipeline.queues.sqs import SqsQueue, create_sqs_queue
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.submit import run_here, submit
from teravox.pipeline.worker.settings import WorkerSettings
from teravox.tasks.image.downsample import Downsample

pytestmark = [pytest.mark.faults, pytest.mark.server]

TASKS = 160
KILLS = 8
EXECUTIONS_A_KILL = 16  # after so many more tasks were begun comes the next kill


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """The S3 server; this process and its workers have its keys, and find the SQS server beside it."""
    with (
        or_skip(),
        seaweed(tmp_path_factory.mktemp("seaweed")) as s3,
        ministack(tmp_path_factory.mktemp("ministack")) as sqs,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {**sqs.environ, "AWS_SESSION_TOKEN": "", **s3.environ}.items():
            patch.setenv(name, value)
        yield s3


@pytest.fixture
def layer(s3: S3) -> str:
    """The URL of a layer in a bucket of its own."""
    bucket = f"trial-{secrets.token_hex(4)}"
    s3.create_bucket(bucket)
    return s3.url(f"{bucket}/some/layer")


@pytest.fixture
def queue(s3: S3) -> Iterator[SqsQueue]:
    """An empty queue, whose server leaves it to the workers to count attempts."""
    url = f"sqs://trial-{secrets.token_hex(4)}"
    create_sqs_queue(url, max_receive=1000)
    queue = SqsQueue(url)
    yield queue
    queue.close()


def check_nothing_is_left(queue: SqsQueue) -> None:
    counts = queue.counts()
    assert (counts.waiting, counts.paused, counts.leased, counts.failed) == (0, 0, 0, 0)


def test_killed_workers_lose_no_task_and_no_record(
    tmp_path: Path, layer: str, queue: SqsQueue, figures: Callable[[str], None]
) -> None:
    job = trial(layer, TASKS, seconds=0.1)
    put(job, queue)
    # A bucket gets one object for many records, and their tasks stay leased until it is there: a kill repeats them all.
    options = (*WORKER, "--exit-on-empty", "--quiet", "--lease-sec", "4", "--tries", "1000")
    with fleet(queue.url, tmp_path / "logs") as workers:
        for _ in range(2):
            workers.start(*options)
        for kill in range(1, KILLS + 1):
            until(have_begun(layer, kill * EXECUTIONS_A_KILL), "tasks begin", lambda: workers.said)
            random.choice(workers.running).kill()
            workers.start(*options)
        assert workers.wait() == [0, 0], workers.said[-5000:]
    same = outputs(layer) == expected(TASKS)
    figures(
        f"T1: S3 and SQS: {TASKS} tasks, {KILLS} kills of a worker, {executions(layer).total()} executions, "
        f"{TASKS - len(outputs(layer))} lost, outputs {'identical' if same else 'DIFFERENT'}"
    )
    assert same
    check_ledger(layer, job)
    check_nothing_is_left(queue)


def have_begun(layer: str, count: int) -> Callable[[], bool]:
    return lambda: executions(layer).total() >= count


def test_the_secret_key_is_neither_printed_nor_stored(
    tmp_path: Path, s3: S3, layer: str, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One task raises it; what the worker says, the bucket, the messages and the dead letter are searched for it."""
    put(trial(layer, 5, tells=3), queue)
    found = [message.encode() for message in messages(queue)]
    assert len(found) == 5
    with fleet(queue.url, tmp_path / "logs") as workers:
        workers.start(*WORKER, "--exit-on-empty", "--lease-sec", "4", "--tries", "2")  # our look was the first
        assert workers.wait() == [1], workers.said[-5000:]
        found.append(workers.said.encode())
    (letter,) = queue.dead()
    (failure,) = letter.failures
    assert failure.text == "ValueError: the key is ***"
    assert "the key is ***" in workers.said
    found += [letter.body, repr(letter).encode(), *in_bucket(layer)]
    assert any(b'"peak_bytes"' in each for each in found), "the ledger was not read"
    assert [each for each in found if s3.secret.encode() in each] == []


def messages(queue: SqsQueue) -> set[str]:
    """The tasks in a queue, as SQS holds them."""
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName=queue.url.removeprefix("sqs://"))["QueueUrl"]
    received = client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"], AttributeNames=["All"]
    )
    client.close()
    return {json.dumps(message) for message in received["Messages"]}


def in_bucket(layer: str) -> list[bytes]:
    """Every object of a layer, ledger and all, as text where it is compressed."""
    store = open_store(layer)
    objects = store.get_many(list(store.list()))
    return [gzip.decompress(data) if key.endswith("-gz") else data for key, data in objects.items() if data is not None]


def test_a_layer_in_a_bucket_is_downsampled_by_workers_as_it_is_at_home(
    tmp_path: Path, layer: str, queue: SqsQueue
) -> None:
    home = make_layer(tmp_path / "home", voxels((80, 72, 20), "uint8"))
    copy(home, layer)
    settings = WorkerSettings(exit_on_empty=True, quiet=True)
    job = Downsample(layer=layer, num_mips=2, shape=(32, 32, 20))
    job_at_home = msgspec.structs.replace(job, layer=f"file://{home}")
    done = run_here(job_at_home, "image downsample", settings, resume=False, command="", progress=None)
    submitted = submit(job, "image downsample", queue, resume=False, command="", progress=lambda _: None)
    assert submitted.new == done.done == len(job.pieces()) > 4
    with fleet(queue.url, tmp_path / "logs") as workers:
        for _ in range(2):
            workers.start("--exit-on-empty", "--lease-sec", "10")
        assert workers.wait() == [0, 0], workers.said[-5000:]
    assert chunks(layer) == chunks(home)
    assert len(chunks(home)) > len(job.pieces())
    assert b"image downsample" in (open_store(layer).get("provenance") or b"")
    check_nothing_is_left(queue)


def copy(source: str, dest: str) -> None:
    store = open_store(source)
    for key, data in store.get_many(list(store.list())).items():
        assert data is not None
        open_store(dest).put(key, data, compress="gzip" if "/" in key else None)


def chunks(layer: str) -> dict[str, bytes | None]:
    """All chunks of all mips, and the info."""
    store = open_store(layer)
    return store.get_many(key for key in store.list() if key != "provenance" and not key.startswith("ledger/"))
