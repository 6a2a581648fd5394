"""Serves a page to the browser of this machine until somebody ends it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.pipeline.view.loopback import LoopbackServer

Browser = Annotated[bool, says("Open the browser; without it only the URL is printed.")]
Port = Annotated[Annotated[int, Meta(ge=1, le=65535)] | None, says("Port to serve from. Default: any that is free.")]


@contextmanager
def told_to_end() -> Iterator[Event]:
    """What Ctrl-C and SIGTERM set. An exception out of a signal could break into the start of an answer."""
    told = Event()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serve(server: LoopbackServer, told: Event, *, browser: bool, advice: str) -> None:
    """Print the URL and a line of advice, open the browser, and answer until told to end."""
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    serving.start()
    try:
        print(server.url, flush=True)
        print(advice, file=sys.stderr)
        if browser:
            _open_browser(server.url_for_once)
        told.wait()
    finally:
        server.shutdown()
        serving.join()


def _open_browser(url: str) -> None:
    """Start the browser, where there is a screen to show it on: one for terminals would take this one."""
    import webbrowser

    has_screen = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if not (has_screen and webbrowser.open(url)):
        print("There is no browser to open here: open the URL in one of yours.", file=sys.stderr)
