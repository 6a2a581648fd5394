"""ministack: an SQS server in Python, from PyPI; it refuses a receipt that no longer holds."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.daemon import Missing, free_ports, running
from servers.sqs_server import SqsServer


@contextmanager
def ministack(folder: Path) -> Iterator[SqsServer]:
    """A server on loopback alone while the block lasts; its log lies in the folder."""
    if importlib.util.find_spec("ministack") is None:
        raise Missing("ministack is not installed: pip install --group test")
    (port,) = free_ports(1)
    server = SqsServer(f"http://127.0.0.1:{port}")
    own = {
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # it would listen at a fixed port of all addresses
        "SFTP_ENABLED": "0",
        "SERVICES": "sqs",
    }
    command = [sys.executable, "-m", "hypercorn", "--workers", "0", "--bind", f"127.0.0.1:{port}", "ministack.app:app"]
    with running(command, folder / "ministack.log", environ=own, is_up=server.answers):
        yield server
