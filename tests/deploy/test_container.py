"""The command line of the pods, as it stands in the manifests and the Dockerfile, run on real queues."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.container import closed, container
from deploy.manifests import Manifest, only, pod, render
from faults.trials import TRIAL, executions, expected, outputs, put, trial
from faults.workers import until
from servers.daemon import or_skip
from servers.ministack import ministack
from servers.sqs_server import SqsServer

from teravox.pipeline.queues.contract import Counts
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.sqs import SqsQueue, create_sqs_queue


def layer(tmp_path: Path) -> str:
    return f"file://{tmp_path}/layer"


def changes(tmp_path: Path, queue: str) -> dict[str, str]:
    """What a user would write into an overlay."""
    return {"TERAVOX_QUEUE": queue, "TERAVOX_ALLOW": layer(tmp_path), "TERAVOX_PLUGIN": TRIAL}


@pytest.fixture(scope="module")
def sqs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqsServer]:
    with or_skip(), ministack(tmp_path_factory.mktemp("ministack")) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environ.items():
            patch.setenv(name, value)
        yield server


def test_a_job_on_a_shared_folder_ends_when_the_queue_is_empty(tmp_path: Path) -> None:
    queue = FolderQueue(tmp_path / "queue", create=True)
    put(trial(layer(tmp_path), 5), queue)
    with container(render("shared-folder"), tmp_path, changes(tmp_path, f"{tmp_path}/queue")) as worker:
        assert worker.wait() == 0, worker.said
    assert queue.counts() == Counts(waiting=0, paused=0, leased=0, done=5, failed=0, is_exact=True)
    assert outputs(layer(tmp_path)) == expected(5)
    assert all(json.loads(line)["level"] == "info" for line in worker.said.splitlines())


def test_a_layer_elsewhere_is_left_alone_and_the_job_fails(tmp_path: Path) -> None:
    queue = FolderQueue(tmp_path / "queue", create=True)
    put(trial(f"file://{tmp_path}/elsewhere", 1), queue)
    with container(render("shared-folder"), tmp_path, changes(tmp_path, f"{tmp_path}/queue")) as worker:
        assert worker.wait() == 1, worker.said
    (rule,) = (rule for rule in rules("shared-folder") if 1 in rule.get("onExitCodes", {}).get("values", ()))
    assert rule["action"] == "FailIndex"
    (letter,) = queue.dead()
    assert letter.failures[-1].sort == "bad input"
    assert not executions(f"file://{tmp_path}/elsewhere")


def rules(folder: str) -> list[Manifest]:
    """What becomes of the Job when a worker ends with this or that code."""
    found: list[Manifest] = only(render(folder), "Job")["spec"]["podFailurePolicy"]["rules"]
    return found


@pytest.mark.parametrize(("queue", "code"), [("/data/nothing-here", 3), ("ftp://queue", 2), ("", 2)])
def test_a_queue_that_is_not_there_ends_the_whole_job(tmp_path: Path, queue: str, code: int) -> None:
    with container(render("shared-folder"), tmp_path, changes(tmp_path, queue)) as worker:
        assert worker.wait() == code, worker.said
    (rule,) = (rule for rule in rules("shared-folder") if code in rule.get("onExitCodes", {}).get("values", ()))
    assert rule["action"] == "FailJob"


@pytest.mark.server
def test_a_preempted_worker_gives_its_task_back_before_it_is_killed(tmp_path: Path, sqs: SqsServer) -> None:
    """On a Spot node of GKE, with a task that does not end in time."""
    create_sqs_queue("sqs://preempted", max_receive=10)
    queue = SqsQueue("sqs://preempted")
    put(trial(layer(tmp_path), 2, gate=str(tmp_path / "gate")), queue)
    settings = {**sqs.environ, **changes(tmp_path, f"{sqs.endpoint}/000000000000/preempted")}
    with container(render("gke"), tmp_path, settings) as worker:
        until(lambda: bool(executions(layer(tmp_path))), "a task is under way", lambda: worker.said)
        counts = queue.counts()
        assert (counts.waiting, counts.leased) == (1, 1)
        assert worker.stop() == 0, worker.said
    assert "stopping, as SIGTERM asks; running tasks have 5" in worker.said
    until(lambda: queue.counts().waiting == 2, "both tasks are free")
    assert not outputs(layer(tmp_path))
    queue.close()


@pytest.mark.server
def test_a_task_that_ends_within_the_grace_is_done(tmp_path: Path, sqs: SqsServer) -> None:
    create_sqs_queue("sqs://graceful", max_receive=10)
    queue = SqsQueue("sqs://graceful")
    put(trial(layer(tmp_path), 1, gate=str(tmp_path / "gate")), queue)
    settings = {**sqs.environ, **changes(tmp_path, f"{sqs.endpoint}/000000000000/graceful")}
    with container(render("eks"), tmp_path, settings) as worker:
        until(lambda: bool(executions(layer(tmp_path))), "a task is under way", lambda: worker.said)
        worker.tell_to_stop()
        until(lambda: "stopping, as SIGTERM asks" in worker.said, "it hears", lambda: worker.said)
        (tmp_path / "gate").touch()
        assert worker.wait() == 0, worker.said
    assert outputs(layer(tmp_path)) == expected(1)
    assert queue.is_empty()
    queue.close()


def test_the_trials_are_as_closed_as_the_pods(tmp_path: Path) -> None:
    if not closed(tmp_path):
        pytest.skip("only root on Linux can close a process in")
    said = {**changes(tmp_path, f"{tmp_path}/queue"), "TERAVOX_HEALTH_FILE": "/var/tmp/teravox-is-well"}
    FolderQueue(tmp_path / "queue", create=True)
    with container(render("shared-folder"), tmp_path, said) as worker:
        assert worker.wait() == 2
    assert "Read-only file system" in worker.said


def test_the_probe_tells_a_worker_that_is_well_from_one_that_hangs(tmp_path: Path) -> None:
    (worker,) = pod(render("base"))["containers"]
    probe, file = worker["livenessProbe"]["exec"]["command"], tmp_path / "teravox-is-well"
    probe = [str(file) if word.endswith(file.name) else word for word in probe]

    def is_well() -> bool:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0

    assert not is_well()
    file.touch()
    assert is_well()
    old = file.stat().st_mtime - 600
    os.utime(file, (old, old))
    assert not is_well()
