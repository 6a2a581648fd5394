"""Drives a pipeline with processes of this machine, or while workers elsewhere execute."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from teravox.pipeline.pipelines.drive import Driver
from teravox.pipeline.pipelines.here import Here
from teravox.pipeline.worker.settings import Outcome, WorkerSettings
from teravox.pipeline.worker.supervisor import work


def drive_here(driver: Driver, place: Here, settings: WorkerSettings) -> Outcome:
    """Drive in a thread, beside one set of processes for all steps; a signal ends both in order."""
    trouble: list[BaseException] = []

    def drive() -> None:
        try:
            driver.drive()
        except BaseException as error:  # noqa: BLE001 - raised again by the main thread
            trouble.append(error)
            place.drop()
        finally:
            place.end()

    thread = threading.Thread(target=drive, name="driver", daemon=True)  # a second signal need not wait for it
    thread.start()
    try:
        outcome = work(place, settings)
    finally:
        driver.stop.set()
        place.end()
        thread.join()
    if trouble:
        raise trouble[0]
    return outcome


def drive_elsewhere(driver: Driver) -> bool:
    """Drive while workers elsewhere execute; False if a signal has ended it."""
    try:
        with _stopped_like_ctrl_c():
            driver.drive()
    except KeyboardInterrupt:
        return False
    return True


@contextmanager
def _stopped_like_ctrl_c() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does, so that claims are released."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
