"""`teravox view` as it is called, and as it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from layers.make import make_layer, voxels

BROWSER = """#!/bin/sh
echo "$1" > "$0.asked"
"""


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return make_layer(tmp_path / "em", voxels((20, 17, 9), "uint8"))


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    return {**kept, "HOME": str(home)}


@contextmanager
def viewing(*words: str, environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "teravox", "view", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_url_and_ends_in_order_while_a_page_is_open(layer: str, tmp_path: Path, told: int) -> None:
    with viewing(layer, "--no-browser", environ=environment(tmp_path)) as process:
        url = urlsplit(url_of(process))
        assert url.hostname == "127.0.0.1"
        pages = [HTTPConnection("127.0.0.1", url.port or 0, timeout=60) for _ in range(2)]
        pages[0].request("GET", f"/events{url.path}")
        pulse = pages[0].getresponse()
        assert pulse.headers["content-type"] == "text/event-stream"
        assert pulse.readline().startswith(b":")
        pages[1].request("GET", f"/data{url.path}/0/info")
        assert pages[1].getresponse().read() == (Path(layer) / "info").read_bytes()
        process.send_signal(told)
        assert process.wait(60) == 0
        assert pulse.read().strip() == b""
        for page in pages:
            page.close()
        assert process.stderr is not None
        assert process.stderr.read() == "Ctrl-C ends it.\n"


def test_the_browser_is_opened_without_the_secret_on_its_command_line(layer: str, tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text(BROWSER)
    program.chmod(0o700)
    asked = Path(f"{program}.asked")
    os.mkfifo(asked)  # reading waits for what the browser writes
    environ = environment(tmp_path) | {"DISPLAY": ":99", "BROWSER": str(program)}
    with viewing(layer, environ=environ) as process:
        url = url_of(process)
        words = asked.read_text().strip()
        assert words.startswith(url.rpartition("/")[0] + "/once/")
        assert url.rpartition("/")[2] not in words
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_without_a_screen_it_says_what_to_do(layer: str, tmp_path: Path) -> None:
    with viewing(layer, environ=environment(tmp_path)) as process:
        url_of(process)
        assert process.stderr is not None
        assert process.stderr.readline() == "Ctrl-C ends it.\n"
        assert process.stderr.readline() == "There is no browser to open here: open the URL in one of yours.\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_what_cannot_be_shown_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with viewing(str(tmp_path / "nothing"), "--no-browser", environ=environment(tmp_path)) as process:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (3, "")
        assert err.startswith(f"teravox: there is no layer at file://{tmp_path}/nothing")
        assert err.count("\n") == 1
