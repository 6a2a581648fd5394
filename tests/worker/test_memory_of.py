"""How much another process holds."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from teravox.pipeline.worker.memory import memory_of

HOLD = "import sys; held = b'1' * int(sys.argv[1]); print('ready', flush=True); sys.stdin.read()"


def test_it_is_what_the_system_says_and_nothing_when_the_process_is_gone() -> None:
    sizes = []
    for held in (0, 60_000_000):
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            process.stdout.readline()
            sizes.append(memory_of(process.pid))
            assert sizes[-1] == pytest.approx(psutil.Process(process.pid).memory_info().rss, rel=0.05)
            process.stdin.close()
            process.wait()
        assert memory_of(process.pid) == 0
    assert 59_000_000 < sizes[1] - sizes[0] < 65_000_000
