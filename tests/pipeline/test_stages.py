"""Jobs that follow each other: each begins when all of the one before is done, and none after a failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import AnyJob
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.registry import Registry
from teravox.pipeline.stages import Stage, StageFailed, run_stages_elsewhere, run_stages_here
from teravox.pipeline.worker.settings import WorkerSettings
from teravox.pipeline.worker.supervisor import work

KIND = '''"""A kind that needs what the stage before has left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.options import Layer, says


class Trial_Stage(Job[Box], frozen=True):
    """Write a file for each of four pieces."""

    layer: Layer
    number: Annotated[int, says("Which stage this is.")] = 0
    breaks: Annotated[int, says("The piece that fails.")] = -1
    refuses: Annotated[bool, says("Whether nothing is to be done.")] = False

    def folder(self, number: int) -> Path:
        return Path(self.layer) / f"stage{number}"

    def prepare(self) -> None:
        if self.refuses:
            raise BadUsage("--refuses: nothing is to be done")
        if self.number:
            assert len(list(self.folder(self.number - 1).iterdir())) == 4
        self.folder(self.number).mkdir(parents=True, exist_ok=True)

    def pieces(self) -> Sequence[Box]:
        return Grid(Box((0, 0, 0), (4, 1, 1)), (1, 1, 1))

    def memory(self, piece: Box) -> int:
        return 1

    def outputs(self, piece: Box) -> Sequence[str]:
        return [f"stage{self.number}/{piece.min[0]}"]

    def run(self, piece: Box) -> None:
        if piece.min[0] == self.breaks and not (Path(self.layer) / "mended").exists():
            raise BadInput("it is broken")
        with (Path(self.layer) / "runs").open("a") as file:
            file.write(f"{self.number} ")
        (self.folder(self.number) / str(piece.min[0])).write_text("done")

    def finish(self) -> None:
        (Path(self.layer) / f"finished{self.number}").write_text("")
'''


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    plugin = tmp_path / "trial_stage.py"
    plugin.write_text(KIND.replace("Trial_Stage", "TrialStage"))
    return Registry([str(plugin)])


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    (tmp_path / "layer").mkdir()
    return tmp_path / "layer"


@pytest.fixture
def settings(registry: Registry) -> WorkerSettings:
    return WorkerSettings(exit_on_empty=True, plugins=registry.plugins, quiet=True)


Stages = Callable[..., list[Stage]]


@pytest.fixture
def stages(registry: Registry, layer: Path) -> Stages:
    kind = registry.find("trial-stage")
    assert kind is not None

    def make(count: int, *, breaks: tuple[int, int] = (-1, -1), refuses: int = -1) -> list[Stage]:
        jobs: list[AnyJob] = [
            kind(layer=str(layer), number=n, breaks=breaks[1] if n == breaks[0] else -1, refuses=n == refuses)
            for n in range(count)
        ]
        return [Stage("trial-stage", job) for job in jobs]

    return make


def runs(layer: Path) -> str:
    return (layer / "runs").read_text()


@pytest.mark.parametrize("processes", [1, 2])
def test_stages_are_done_one_after_another(
    stages: Stages, settings: WorkerSettings, layer: Path, processes: int
) -> None:
    import msgspec

    seen: list[int] = []
    settings = msgspec.structs.replace(settings, processes=processes)
    outcome = run_stages_here(stages(3), settings, command="", progress=lambda done, _: seen.append(done))
    assert (outcome.exit_code, outcome.done) == (0, 12)
    assert runs(layer) == "0 0 0 0 1 1 1 1 2 2 2 2 "
    assert sum(seen) == 12
    assert all((layer / f"finished{n}").exists() for n in range(3))


def test_what_is_done_is_not_done_again(stages: Stages, settings: WorkerSettings, layer: Path) -> None:
    run_stages_here(stages(2), settings, command="", progress=None)
    (layer / "finished1").unlink()
    seen: list[int] = []
    outcome = run_stages_here(stages(3), settings, command="", progress=lambda done, _: seen.append(done))
    assert (outcome.exit_code, outcome.done) == (0, 4)
    assert sum(seen) == 12
    assert runs(layer) == "0 0 0 0 1 1 1 1 2 2 2 2 "


def test_no_stage_follows_one_that_failed(stages: Stages, settings: WorkerSettings, layer: Path) -> None:
    outcome = run_stages_here(stages(3, breaks=(1, 2)), settings, command="", progress=None)
    assert (outcome.exit_code, outcome.done, outcome.failed) == (1, 7, 1)
    assert runs(layer) == "0 0 0 0 1 1 1 "
    assert not (layer / "stage2").exists()
    assert not (layer / "finished1").exists()
    (layer / "mended").write_text("")
    assert run_stages_here(stages(3, breaks=(1, 2)), settings, command="", progress=None).exit_code == 0
    assert runs(layer) == "0 0 0 0 1 1 1 1 2 2 2 2 "


def test_what_a_later_stage_refuses_is_said(stages: Stages, settings: WorkerSettings, layer: Path) -> None:
    with pytest.raises(BadUsage, match="--refuses: nothing is to be done"):
        run_stages_here(stages(3, refuses=1), settings, command="", progress=None)
    assert runs(layer) == "0 0 0 0 "


class Workers:
    """Do all that is in a queue whenever something was put there."""

    def __init__(self, queue: Path, settings: WorkerSettings) -> None:
        self.queue = queue
        self.settings = settings
        self.heard: list[str] = []

    def __call__(self, text: str) -> None:
        self.heard.append(text)
        work(FolderQueue(self.queue), self.settings)


def test_stages_are_done_by_workers_elsewhere(
    stages: Stages, settings: WorkerSettings, registry: Registry, layer: Path, tmp_path: Path
) -> None:
    queue = FolderQueue(tmp_path / "q", create=True)
    workers = Workers(tmp_path / "q", settings)
    for _ in range(2):
        run_stages_elsewhere(stages(3), queue, registry, command="", interval=0.01, say=workers)
    assert runs(layer) == "0 0 0 0 1 1 1 1 2 2 2 2 "
    assert workers.heard == [f"{n} of 3: trial-stage, 4 of 4 tasks to be done" for n in (1, 2, 3)]
    assert (layer / "finished2").exists()
    queue.close()


def test_a_failure_elsewhere_ends_it_until_it_is_mended(
    stages: Stages, settings: WorkerSettings, registry: Registry, layer: Path, tmp_path: Path
) -> None:
    queue = FolderQueue(tmp_path / "q", create=True)
    workers = Workers(tmp_path / "q", settings)
    for _ in range(2):
        with pytest.raises(StageFailed, match="1 task of trial-stage failed, so no further stage begins; see: "):
            run_stages_elsewhere(stages(3, breaks=(1, 2)), queue, registry, command="", interval=0.01, say=workers)
    assert not (layer / "stage2").exists()
    (layer / "mended").write_text("")
    queue.retry(lambda _: True)
    run_stages_elsewhere(stages(3, breaks=(1, 2)), queue, registry, command="", interval=0.01, say=workers)
    assert runs(layer) == "0 0 0 0 1 1 1 1 2 2 2 2 "
    queue.close()


def test_the_failures_of_other_jobs_in_the_queue_do_not_matter(
    stages: Stages, settings: WorkerSettings, registry: Registry, layer: Path, tmp_path: Path
) -> None:
    queue = FolderQueue(tmp_path / "q", create=True)
    workers = Workers(tmp_path / "q", settings)
    with pytest.raises(StageFailed):
        run_stages_elsewhere(stages(1, breaks=(0, 2)), queue, registry, command="", interval=0.01, say=workers)
    run_stages_elsewhere(stages(1), queue, registry, command="", interval=0.01, say=workers)
    assert (layer / "finished0").exists()
    queue.close()


def test_tasks_that_are_lost_end_it(
    stages: Stages, settings: WorkerSettings, registry: Registry, layer: Path, tmp_path: Path
) -> None:
    queue = FolderQueue(tmp_path / "q", create=True)

    def purge(_: str) -> None:
        queue.purge(["waiting"])

    with pytest.raises(StageFailed, match=r"tasks of trial-stage have left .* and are not in the ledger at"):
        run_stages_elsewhere(stages(1), queue, registry, command="", interval=0.01, say=purge)
    queue.close()
