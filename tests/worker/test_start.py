from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
import os, signal, subprocess, sys, threading
from teravox.pipeline.worker.child import ChildSettings
from teravox.pipeline.worker.start import start_anew, start_copies
from teravox.pipeline.worker.wire import Ready, receive_answer
settings = ChildSettings((), (), 10**9, "this test", 2)
"""
ENDING = """
for started in start_copies(settings, 2) or [start_anew(settings)]:
    assert receive_answer(started.line) == Ready()
    try:
        started.process.wait(0.01)
        raise AssertionError("it has ended")
    except subprocess.TimeoutExpired:
        pass
    started.line.close()
    print(started.process.wait(60), started.process.wait())
    os.close(started.output)
    os.close(started.words)
"""
KILLING = """
for started in start_copies(settings, 1) or [start_anew(settings)]:
    assert receive_answer(started.line) == Ready()
    started.process.kill()
    assert started.process.wait(60) == -signal.SIGKILL
    started.process.kill()  # one that has ended, which is no mistake
    os.set_blocking(started.output, True)
    print(os.read(started.output, 1))  # b"": nobody holds the other end
    started.close()
"""
COUNTING = """
copies = start_copies(settings, 2)
for copy in copies:
    copy.process.kill()
    copy.process.wait()
    copy.close()
print(len(copies))
"""
OPEN = "file = open(os.devnull)\n"
THREAD = "stop = threading.Event()\nthread = threading.Thread(target=stop.wait, daemon=True)\nthread.start()\n"

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process has open")


def said_by(*script: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", "".join([PRELUDE, *script])], capture_output=True, text=True, check=True
    )
    assert not ran.stderr
    return ran.stdout


@on_linux
def test_a_process_with_one_thread_and_no_open_file_is_copied() -> None:
    assert said_by(COUNTING) == "2\n"


@pytest.mark.parametrize("what", [OPEN, THREAD])
def test_a_process_with_a_thread_or_an_open_file_is_not_copied(what: str) -> None:
    assert said_by(what, COUNTING) == "0\n"


@on_linux
def test_each_copy_ends_when_its_own_line_is_closed() -> None:
    """Also the first one, while the second one, which was copied later, lives."""
    assert said_by(ENDING) == "0 0\n0 0\n"


@pytest.mark.parametrize("what", ["", OPEN])
def test_a_killed_process_is_told_by_its_signal_and_holds_nothing(what: str) -> None:
    assert said_by(what, KILLING) == "b''\n"


def test_a_new_process_ends_when_its_line_is_closed() -> None:
    assert said_by(OPEN, ENDING) == "0 0\n"
