"""Many things side by side, and what is counted of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.storage import side_by_side as side_by_side_module
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.side_by_side import LANES, LOCAL_LANES, do_all, side_by_side
from teravox.pipeline.storage.tally import TALLY, Tally
from teravox.pipeline.storage.urls import normalize


@pytest.mark.parametrize(("lanes", "cores", "expected"), [(LOCAL_LANES, 1, 2), (LOCAL_LANES, 64, 8), (LANES, 1, 16)])
def test_what_is_local_takes_two_threads_a_core_and_what_waits_for_a_network_all(
    lanes: int, cores: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_by_side_module, "_local_lanes", lambda: side_by_side_module.LANES_OF_A_CORE * cores)
    together = threading.Barrier(expected)  # which breaks if fewer run at once
    lock, done = threading.Lock(), 0

    def work(_: int) -> None:
        nonlocal done
        together.wait(timeout=60)
        with lock:
            done += 1

    def items() -> Iterator[int]:
        for n in range(3 * expected):
            assert n - done <= expected  # or more would run at once
            yield n

    do_all(work, items(), lanes)
    assert done == 3 * expected


def test_every_item_has_its_result() -> None:
    assert sorted(side_by_side(lambda n: n * n, range(1000))) == [n * n for n in range(1000)]


def test_no_more_than_the_lanes_run_at_once_and_the_items_are_taken_as_they_go() -> None:
    lock, at_once, most, taken, done = threading.Lock(), 0, 0, 0, 0

    def items() -> object:
        nonlocal taken
        for n in range(200):
            taken += 1
            assert taken - done <= 5
            yield n

    def work(_: int) -> None:
        nonlocal at_once, most, done
        with lock:
            at_once += 1
            most = max(most, at_once)
        with lock:
            at_once -= 1
            done += 1

    do_all(work, items(), lanes=4)  # type: ignore[arg-type]  # a generator of ints
    assert most <= 4
    assert done == 200


def test_they_do_run_at_once() -> None:
    meet = threading.Barrier(LANES, timeout=30)
    do_all(lambda _: meet.wait(), range(LANES))


def test_the_first_error_ends_it() -> None:
    begun = []

    def work(n: int) -> None:
        begun.append(n)
        if n == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        do_all(work, range(10_000), lanes=2)
    assert len(begun) < 10_000


def test_work_within_work_does_not_wait_for_itself() -> None:
    def sums(n: int) -> int:
        return sum(side_by_side(lambda m: m + n, range(10)))

    assert sorted(side_by_side(sums, range(100))) == [45 + 10 * n for n in range(100)]


def test_a_forked_child_has_threads_of_its_own(tmp_path: Path) -> None:
    do_all(lambda _: None, range(4))
    store = open_store(str(tmp_path))
    child = os.fork()
    if child == 0:
        store.put_many({f"{n}": b"x" for n in range(50)})
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(list(store.list())) == 50


def test_outputs_below_home_are_relative_and_others_have_their_url(tmp_path: Path) -> None:
    TALLY.begin(str(tmp_path / "home"))
    open_store(str(tmp_path / "home")).put("a", b"1")
    open_store(str(tmp_path / "home" / "deep")).put("b", b"22")
    open_store(str(tmp_path / "homely")).put("c", b"333")
    sizes = {key: size for key, (size, _) in TALLY.end().outputs.items()}
    assert sizes == {"a": 1, "deep/b": 2, f"file://{tmp_path}/homely/c": 3}


def test_a_new_begin_forgets_and_nothing_is_noted_outside() -> None:
    tally = Tally()
    tally.put("mem://b/l", "before", b"x")
    tally.begin("mem://b/l")
    assert tally.end().outputs == {}
    tally.begin("mem://b/l")
    tally.put("mem://b/l", "k", b"xyz")
    tally.read(10)
    tally.begin("mem://b/l")
    assert tally.end() == type(tally.end())(0, 0, {})


def test_nothing_is_lost_between_threads() -> None:
    tally = Tally()
    tally.begin("mem://b/l")

    def report(n: int) -> None:
        tally.put("mem://b/l", f"{n}", b"x" * n)
        tally.read(n)

    do_all(report, range(500))
    tallied = tally.end()
    assert tallied.bytes_in == tallied.bytes_out == sum(range(500))
    assert {key: size for key, (size, _) in tallied.outputs.items()} == {f"{n}": n for n in range(500)}


def test_paths_and_urls_have_one_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for said, meant in {
        "seg": f"file://{tmp_path}/seg",
        "./seg/": f"file://{tmp_path}/seg",
        "file://seg": f"file://{tmp_path}/seg",
        "precomputed://file:///a/b/": "file:///a/b",
        "/a/../b": "file:///b",
        "s3://bucket/l/": "s3://bucket/l",
        "precomputed://gs://bucket/l": "gs://bucket/l",
        "s3://http://127.0.0.1:8333/bucket/l": "s3://http://127.0.0.1:8333/bucket/l",
    }.items():
        assert normalize(said) == meant
        assert normalize(meant) == meant


@pytest.mark.parametrize("url", ["", "ftp://host/l", "s3://", "gs:///", "s3://me:secret@host/l", "a\0b"])
def test_what_is_no_place_for_data_is_refused(url: str) -> None:
    with pytest.raises(BadUsage) as caught:
        open_store(url)
    assert "secret" not in str(caught.value).replace("secrets", "")


def test_a_thread_that_begins_while_ctrl_c_comes_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[threading.Thread] = []
    start = threading.Thread.start

    def start_and_be_stopped(thread: threading.Thread) -> None:
        start(thread)
        begun.append(thread)
        raise KeyboardInterrupt

    threads = side_by_side_module._Threads()  # with none that waits already
    monkeypatch.setattr(side_by_side_module, "_threads", threads)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start_and_be_stopped)
        with pytest.raises(KeyboardInterrupt):
            do_all(str, [1, 2])
    (thread,) = begun
    thread.join(timeout=30)
    has_ended = not thread.is_alive()
    threads.pool().shutdown(wait=False)  # else a failure would keep pytest from ending
    assert has_ended
