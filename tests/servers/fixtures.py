"""Servers as fixtures: of SQS one of each for the tests of a module, to be imported into a conftest.py; of S3 the keys to the one for all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from servers.daemon import or_skip
from servers.fauxqs import fauxqs
from servers.ministack import ministack
from servers.seaweed import S3
from servers.sqs_server import SqsServer


@pytest.fixture(scope="module")
def ministack_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqsServer]:
    with or_skip(), ministack(tmp_path_factory.mktemp("ministack")) as server:
        yield server


@pytest.fixture(scope="module")
def fauxqs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqsServer]:
    with or_skip(), fauxqs(tmp_path_factory.mktemp("fauxqs")) as server:
        yield server


@pytest.fixture(scope="module")
def s3(seaweed_server: S3) -> Iterator[S3]:
    """The S3 server, with its keys in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in seaweed_server.environ.items():
            patch.setenv(name, value)
        yield seaweed_server


@pytest.fixture
def layer_in_bucket(s3: S3) -> str:
    """The URL of a layer that is not there yet, in a bucket of its own."""
    bucket = f"layers-{secrets.token_hex(4)}"
    s3.create_bucket(bucket)
    return s3.url(f"{bucket}/deep/layer")
