from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from teravox.pipeline import last_words
from teravox.pipeline.last_words import SLOT, hear, keep_in, make_file, saying
from teravox.pipeline.worker.children import CRASHED

CRASH = """
import ctypes, faulthandler, sys, threading
from teravox.pipeline.last_words import keep_in, saying
faulthandler.enable()
keep_in(int(sys.argv[1]))
with saying("decoding what is done"):
    pass
speaking = threading.Barrier(3)
def wait():
    with saying("decoding a sound chunk"):
        speaking.wait()
        threading.Event().wait()
def crash():
    with saying("decoding a broken chunk"):
        speaking.wait()
        ctypes.string_at(0)
for work in (wait, crash):
    threading.Thread(target=work, daemon=True).start()
speaking.wait()
threading.Event().wait()
"""


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(last_words, "_file", None)
    file = make_file()
    yield file
    os.close(file)


def test_the_thread_that_crashed_is_heard_among_others(file: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CRASH, str(file)], pass_fds=[file], capture_output=True, text=True, check=False
    )
    assert ran.returncode == -signal.SIGSEGV
    (thread,) = [int(found[1], 16) for line in ran.stderr.splitlines() if (found := CRASHED.match(line))]
    assert hear(file, thread) == ["decoding a broken chunk"]
    assert sorted(hear(file, None)) == ["decoding a broken chunk", "decoding a sound chunk"]
    assert sorted(hear(file, 1)) == sorted(hear(file, None))


def test_who_is_done_says_nothing_more(file: int) -> None:
    keep_in(file)
    heard = []

    def decode() -> None:
        with saying("decoding"):
            heard.extend(hear(file, threading.get_ident()))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        decode()
    assert (heard, hear(file, None)) == (["decoding"], [])


def test_long_words_stay_in_their_place(file: int) -> None:
    keep_in(file)

    def other() -> None:
        with saying("short"), saying("é" * SLOT):
            ...

    with saying("x" * 2 * SLOT):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        (heard,) = hear(file, None)
    assert set(heard) == {"x"}
    assert len(heard) < SLOT


def test_without_a_file_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_words, "_file", None)
    monkeypatch.setattr(os, "pwrite", None)
    with saying("decoding"):
        pass
