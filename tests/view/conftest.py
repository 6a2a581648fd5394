"""A server of layers, and a browser to look at them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from servers.daemon import or_skip
from view.asking import Served
from view.browser import Page, chromium

from teravox.pipeline.view.look import look_at
from teravox.pipeline.view.server import ViewServer


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Serves layers until the test ends."""
    with ExitStack() as stack:
        yield lambda *urls: Served(stack.enter_context(_serving(*urls)))


@contextmanager
def _serving(*urls: str) -> Iterator[ViewServer]:
    with ViewServer(look_at(urls)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with or_skip(), chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page
