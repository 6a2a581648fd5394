"""Five hundred hostile files in a queue, and a real worker: each is refused by name, and nothing in it runs."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.drills import WORKER, drill, executions, put
from faults.hostile import Hostile
from faults.workers import fleet

from teravox.pipeline.queues.folder import FolderQueue

pytestmark = pytest.mark.faults

MESSAGES = 500
GOOD = 20


def test_hostile_files_are_dead_lettered_and_nothing_in_them_runs(
    tmp_path: Path, figures: Callable[[str], None]
) -> None:
    layer, outside, queue = tmp_path / "layer", tmp_path / "outside", tmp_path / "q"
    outside.mkdir()
    put(drill(layer, GOOD), queue)
    (outside / "good.json").write_bytes(b"")
    ids = {f"{random.getrandbits(128):032x}": seed for seed in range(MESSAGES)}
    for id, seed in ids.items():
        Hostile(f"file://{layer}", outside, seed).put(queue / "queue" / f"0--{id}.json")
    before = snapshot(tmp_path)
    with fleet(queue) as workers:
        worker = workers.start(*WORKER, "--tries", "1", "-p", "2", "--allow", f"file://{layer}")
        assert worker.wait() == 1, worker.said[-5000:]
    letters = {letter.id: letter for letter in FolderQueue(queue).dead()}
    made = sorted(snapshot(tmp_path) - before)
    escaped = [path for path in made if path.split("/")[0] not in {"q", "q-logs", "layer"}]
    for place in (Path("/tmp"), Path.home(), Path.cwd(), queue, tmp_path.parent):
        escaped += map(str, place.glob(f"canary-{os.getpid()}-*"))
    figures(f"hostile: {len(letters)} of {MESSAGES} messages dead-lettered, {len(escaped)} escapes")
    assert escaped == []
    assert executions(layer) == dict.fromkeys(range(GOOD), 1)
    assert [path for path in made if path.startswith("layer/out/")] == sorted(f"layer/out/{n}" for n in range(GOOD))
    assert letters.keys() == ids.keys()
    for letter in letters.values():
        (failure,) = letter.failures
        assert failure.sort in {"bad message", "bad input"}, (ids[letter.id], failure)
        assert failure.text and failure.text.isprintable() and len(failure.text) < 1000, (ids[letter.id], failure)
        assert failure.host == socket.gethostname()
        assert letter.id in worker.said
    counts = FolderQueue(queue).counts()
    assert (counts.waiting, counts.paused, counts.leased, counts.done) == (0, 0, 0, GOOD)


def snapshot(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
