"""SQS servers as fixtures, one of each for the tests of a module; import them into a conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from servers.daemon import or_skip
from servers.fauxqs import fauxqs
from servers.ministack import ministack
from servers.sqs_server import SqsServer


@pytest.fixture(scope="module")
def ministack_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqsServer]:
    with or_skip(), ministack(tmp_path_factory.mktemp("ministack")) as server:
        yield server


@pytest.fixture(scope="module")
def fauxqs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqsServer]:
    with or_skip(), fauxqs(tmp_path_factory.mktemp("fauxqs")) as server:
        yield server
