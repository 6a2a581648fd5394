"""T1 in the cloud: a layer in a bucket of a real S3 server, tasks in SQS, workers that are killed."""

from __future__ import annotations

import gzip
import json
import random
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from faults.killing import differing
from faults.pipelines import is_result_of_a_layer, run_undisturbed, started_run, unnamed, verify, write_pipeline
from faults.trials import WORKER, check_ledger, executions, expected, outputs, put, trial
from faults.workers import fleet, until
from servers.daemon import or_skip
from servers.ministack import ministack
from servers.seaweed import S3

from teravox.pipeline.queues.sqs import SqsQueue, create_sqs_queue
from teravox.pipeline.storage.open import open_store

pytestmark = [pytest.mark.faults, pytest.mark.server]

TASKS = 80
KILLS = 4
WHEN = (6, 24, 45)  # objects that are there when the next worker of the pipeline is stopped or killed
LARGER = (
    "--set",
    "chunk=32,32,32",
    "--set",
    "slab=32,32,32",
    "--set",
    "pyramid=128,128,128",
)  # a request has its price
EXECUTIONS_A_KILL = 16  # after so many more tasks were begun comes the next kill


@pytest.fixture(scope="module")
def s3(seaweed_server: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """The S3 server; this process and its workers have its keys, and find the SQS server beside it."""
    with (
        or_skip(),
        ministack(tmp_path_factory.mktemp("ministack")) as sqs,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {**sqs.environ, "AWS_SESSION_TOKEN": "", **seaweed_server.environ}.items():
            patch.setenv(name, value)
        yield seaweed_server


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
    tmp_path: Path, layer_in_bucket: str, queue: SqsQueue, figures: Callable[[str], None]
) -> None:
    job = trial(layer_in_bucket, TASKS, seconds=0.1)
    put(job, queue)
    # A bucket gets one object for many records, and their tasks stay leased until it is there: a kill repeats them all.
    options = (*WORKER, "--exit-on-empty", "--quiet", "--lease-sec", "4", "--tries", "1000")
    with fleet(queue.url, tmp_path / "logs") as workers:
        for _ in range(2):
            workers.start(*options)
        for kill in range(1, KILLS + 1):
            until(
                have_begun(layer_in_bucket, kill * EXECUTIONS_A_KILL),
                "tasks begin",
                lambda: workers.said,
                look_every=0.2,
            )
            random.choice(workers.running).kill()
            workers.start(*options)
        assert workers.wait() == [0, 0], workers.said[-5000:]
    same = outputs(layer_in_bucket) == expected(TASKS)
    figures(
        f"T1: S3 and SQS: {TASKS} tasks, {KILLS} kills of a worker, {executions(layer_in_bucket).total()} executions, "
        f"{TASKS - len(outputs(layer_in_bucket))} lost, outputs {'identical' if same else 'DIFFERENT'}"
    )
    assert same
    check_ledger(layer_in_bucket, job)
    check_nothing_is_left(queue)


def have_begun(layer: str, count: int) -> Callable[[], bool]:
    return lambda: executions(layer).total() >= count


def test_the_secret_key_is_neither_printed_nor_stored(
    tmp_path: Path, s3: S3, layer_in_bucket: str, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One task raises it; what the worker says, the bucket, the messages and the dead letter are searched for it."""
    put(trial(layer_in_bucket, 5, tells=3), queue)
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
    found += [letter.body, repr(letter).encode(), *in_bucket(layer_in_bucket)]
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


def test_a_pipeline_in_a_bucket_whose_workers_are_killed_and_stopped_leaves_what_it_leaves_at_home(
    tmp_path: Path, s3: S3, queue: SqsQueue, figures: Callable[[str], None]
) -> None:
    """Killed workers' leases run out; stopped ones give theirs back. The run is stopped, too, and started again."""
    bucket = f"brain-{secrets.token_hex(4)}"
    s3.create_bucket(bucket)
    file = write_pipeline(tmp_path)
    wanted = unnamed(run_undisturbed(file, *LARGER))
    out = s3.url(f"{bucket}/brain")
    options = ("--lease-sec", "5", "--tries", "1000")  # SQS counts the attempts of stopped workers, too
    with fleet(queue.url, tmp_path / "logs") as workers, ExitStack() as stack:
        client = stack.enter_context(closing(s3.client()))

        def all_said() -> str:
            return workers.said + "".join(run.said for run in runs)

        def wait_for(keys: int) -> None:
            until(
                lambda: len(results_of(client, bucket)) >= keys, f"{keys} objects are there", all_said, look_every=0.3
            )

        runs = [stack.enter_context(started_run(file, out, queue.url, *LARGER))]
        for _ in range(2):
            workers.start(*options)
        for number, keys in enumerate(WHEN):
            wait_for(keys)
            worker = random.choice(workers.running)
            worker.signal(signal.SIGTERM if number == 1 else signal.SIGKILL)
            workers.start(*options)
            if number == 0:
                runs[0].stop()
                runs.append(stack.enter_context(started_run(file, out, queue.url, *LARGER)))
        assert runs[-1].wait() == 0, all_said()[-5000:]
        for worker in workers.running:
            worker.signal(signal.SIGTERM)
        assert set(workers.wait()) <= {0, -signal.SIGTERM}, workers.said[-5000:]  # or it had only begun to start
        found = unnamed(dict(as_files(client, bucket)))
    left = differing(found, wanted)
    figures(
        f"S3 and SQS: pipeline, {len(WHEN)} workers killed or stopped, {len(found)} objects: "
        f"{'DIFFERENT' if left else 'identical'}"
    )
    assert not left, "\n".join(left)
    assert b"image downsample" in (open_store(f"{out}/seg").get("provenance") or b"")
    check_nothing_is_left(queue)
    verify(out, "--sample", "8")


def results_of(client: Any, bucket: str) -> list[str]:  # Any: boto3 makes its classes at run time
    """The keys of what readers of a pipeline's layers see."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="brain/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return [key for key in keys if is_result_of_a_layer(key)]


def as_files(client: Any, bucket: str) -> Iterator[tuple[str, bytes]]:  # Any: as above
    """The objects, byte by byte, under the names that they have as files at home."""
    for key in results_of(client, bucket):
        found = client.get_object(Bucket=bucket, Key=key)
        ending = {"gzip": ".gz"}.get(found.get("ContentEncoding", ""), "")
        yield key.removeprefix("brain/") + ending, found["Body"].read()
