"""Two sessions never write one layer of labels, and a dead one is in nobody's way."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import msgspec
import pytest
from labelling.conftest import Begin

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.labelling.session_lock import NAME, Holder, SessionLock
from teravox.pipeline.labelling.strokes import Stroke
from teravox.pipeline.processes import own_birth
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Store

STROKE = Stroke("xy", 31, 1, ((25, 20, 40),))


def holder(*, host: str = "", pid: int = 0, born: float = 0.0, beat: int = 1) -> Holder:
    return Holder(
        session="another",
        host=host or socket.gethostname(),
        pid=pid or os.getpid(),
        born=born or own_birth(),
        beat=beat,
    )


def leave(store: Store, lock: Holder) -> None:
    store.put(NAME, msgspec.json.encode(lock))


def test_a_second_session_is_refused_while_the_first_lives(begin: Begin, tmp_path: Path) -> None:
    first = begin()
    with pytest.raises(BadUsage, match=rf"is labelled by another session, process {os.getpid()} on .*\. End that one"):
        begin()
    assert first.paint(STROKE).changed == 20
    first.close()
    assert not (tmp_path / "labels" / NAME).exists()
    assert begin().painting.all_chunks()


@pytest.mark.parametrize("born", [1.0, None])
def test_the_lock_of_a_process_that_is_gone_is_taken(begin: Begin, tmp_path: Path, born: float | None) -> None:
    begin().close()
    dead = holder(born=born) if born else holder(pid=2**22 + 1)
    leave(open_store(str(tmp_path / "labels")), dead)
    assert begin().paint(STROKE).changed == 20


def test_a_session_of_another_machine_lives_as_long_as_it_beats(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    leave(store, holder(host="elsewhere"))
    beats = iter(range(2, 100))
    alive = SessionLock(store, sleep=lambda _: leave(store, holder(host="elsewhere", beat=next(beats))))
    with pytest.raises(BadUsage, match="on elsewhere"):
        alive.take()
    waited: list[float] = []
    dead = SessionLock(store, sleep=waited.append)
    dead.take()
    assert sum(waited) >= 12
    dead.release()


def test_what_is_no_lock_locks_nothing(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put(NAME, b"no JSON")
    lock = SessionLock(store)
    lock.take()
    lock.release()


def test_who_has_lost_the_lock_writes_no_more(begin: Begin, tmp_path: Path) -> None:
    session = begin()
    store = open_store(str(tmp_path / "labels"))
    leave(store, holder(host="elsewhere"))
    before = sorted(store.list())
    with pytest.raises(BadInput, match=r"another session, process .* on elsewhere, labels .* now"):
        session.paint(STROKE)
    with pytest.raises(BadInput, match="another session"):
        session.add_class("vessel")
    session.close()
    assert sorted(store.list()) == before, "the lock of the other must stay"
