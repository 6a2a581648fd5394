"""A server as a child process: started in the foreground, waited for, and ended whatever happens."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

WAIT = 90.0  # seconds that a server may take to answer


class Missing(Exception):
    """A server cannot be started on this machine."""


class Broken(Exception):
    """A server that is there does not do what it should."""


@contextmanager
def or_skip() -> Iterator[None]:
    """Skip the tests that need a server which this machine has not."""
    try:
        yield
    except Missing as error:
        import pytest

        pytest.skip(str(error))


def find_program(name: str) -> str:
    """The path of a server's program."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        raise Missing(f"{name} is not installed: make test-servers")
    return found


def free_ports(number: int) -> list[int]:
    """Ports of the loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = WAIT) -> None:
    """Look again and again until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise Broken(f"after {seconds:.0f} s still waiting: {what}")
        time.sleep(0.02)


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    *,
    is_up: Callable[[], bool],
    environ: Mapping[str, str] | None = None,
    patience: float = 10.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """The server while the block lasts, from the moment it answers; killed if it does not end in `patience` seconds.

    Should the tests be killed themselves, it is told to end by the kernel.
    """
    setpriv = shutil.which("setpriv")
    bound = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    with log.open("ab") as output:
        server = subprocess.Popen(
            [*bound, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environ is None else {**os.environ, **environ},
            start_new_session=True,  # Ctrl-C is for the tests, which then end their servers in order
        )

    def answers() -> bool:
        if server.poll() is not None:
            raise Broken(f"{command[0]} ended with {server.returncode}: {log.read_text(errors='replace')[-2000:]}")
        return is_up()

    try:
        wait_until(answers, f"{Path(command[0]).name} does not answer, see {log}")
        yield server
    finally:
        server.terminate()
        try:
            server.wait(patience)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def run(command: Sequence[str | Path], *, environ: Mapping[str, str] | None = None, seconds: float = WAIT) -> str:
    """What a command printed."""
    done = subprocess.run(
        list(map(str, command)),
        env=None if environ is None else {**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise Broken(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout
