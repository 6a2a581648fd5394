"""What every test can rely on: repeatable randomness, and that no test leaves anything behind."""

from __future__ import annotations

import os
import random
import secrets
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from hypothesis import settings
from real_volumes import DATA
from servers.daemon import or_skip
from servers.fixtures import layer_in_bucket, s3  # noqa: F401  # fixtures of all tests
from servers.seaweed import S3, seaweed

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)

CHECKOUT = Path(__file__).parent.parent
MADE_BY_TOOLS = {".git", ".venv", "build", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}
MARK = "TERAVOX_TEST_PROCESS"  # every process that a test starts inherits it
GRACE = 10.0  # seconds that a process which was told to end may take

IN_CI = bool(os.environ.get("CI"))
settings.register_profile("ci", derandomize=True, print_blob=True, deadline=None, database=None)
settings.register_profile("here", print_blob=True, deadline=None)
settings.load_profile("ci" if IN_CI else "here")

_of_fixtures: set[int] = set()  # processes that a fixture of a wider scope started, and will end


def pytest_configure() -> None:
    """Tests send SIGINT to processes that they start; a shell that runs us in the background lets all ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that nobody waits for them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("faults") is None)


@pytest.fixture(autouse=True, scope="session")
def _threads_are_not_traced() -> None:
    """Coverage sees main threads only: CPython 3.11 at times cannot start a thread that is to be traced.

    It says "Cannot install a trace function while another trace function is being installed", and the thread is lost.
    """
    if sys.version_info < (3, 12):
        threading.settrace(None)


@pytest.fixture(autouse=True)
def _same_randomness(request: pytest.FixtureRequest) -> None:
    random.seed(request.node.nodeid)


@pytest.fixture(autouse=True)
def _ends_its_processes() -> Iterator[None]:
    """Fails the test that leaves a child process, whose name the next tests would be blamed for."""
    before = _children()
    yield
    deadline = time.monotonic() + GRACE
    while left := _children() - before - _of_fixtures:
        if time.monotonic() > deadline:
            pytest.fail("the test left these processes: " + ", ".join(sorted(map(_describe, left))))
        time.sleep(0.02)


@pytest.fixture(autouse=True, scope="session")
def _leaves_nothing_behind() -> Iterator[None]:
    """Fails the run in which a process outlives its parent, or in which the checkout changes."""
    mark = secrets.token_hex(8)
    os.environ[MARK] = mark
    files = set(_checkout()) if IN_CI else set()
    yield
    deadline = time.monotonic() + GRACE
    while orphans := [process for process in psutil.process_iter() if _carries(process, mark)]:
        if time.monotonic() > deadline:
            pytest.fail("tests left these processes: " + ", ".join(_describe(process.pid) for process in orphans))
        time.sleep(0.05)
    if IN_CI:
        new = sorted(str(path) for path in set(_checkout()) - files)
        assert not new, f"tests wrote into the checkout: {new}"


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """An S3 server, which takes seconds to start; each test has buckets of its own in it."""
    before = _children()
    with or_skip(), seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        _of_fixtures.update(_children() - before)  # the hook below is not called for the fixtures of a session
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
    """Notes which processes belong to fixtures that outlive a test."""
    if fixturedef.scope == "function":
        return (yield)
    before = _children()
    result = yield
    _of_fixtures.update(_children() - before)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _no_skips(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _no_skips(report)


def _no_skips(report: R) -> R:
    """A server that is missing skips a test on a laptop, and fails it where all of them must be.

    Only tests on real volumes may be skipped there too: seeded ones cover the same ground.
    """
    if IN_CI and report.skipped and not hasattr(report, "wasxfail") and DATA not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped, which no test may be under CI: {report.longrepr}"
    return report


def _children() -> set[int]:
    return {
        child.pid
        for child in psutil.Process().children()
        if child.is_running()
        and not {"resource_tracker", "forkserver"} & set(_command(child).replace(".", " ").split())
    }


def _command(process: psutil.Process) -> str:
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _describe(pid: int) -> str:
    try:
        return f"{pid} ({_command(psutil.Process(pid)) or 'ended, and nobody waited for it'})"
    except psutil.NoSuchProcess:
        return str(pid)


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(MARK) == mark
    except psutil.Error:
        return False


def _checkout() -> Iterator[Path]:
    for folder, folders, files in os.walk(CHECKOUT):
        folders[:] = [name for name in folders if name not in MADE_BY_TOOLS]
        yield from (Path(folder, name) for name in files)
