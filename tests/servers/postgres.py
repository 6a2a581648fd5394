"""PostgreSQL on loopback, from a Debian package; it does not run as root, so there it is nobody's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.daemon import Missing, find_program, free_ports, run, running

USER = "tests"


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of an empty database, while the block lasts; the server's log lies in the folder."""
    server, create = _program("postgres"), _program("initdb")
    data = Path(tempfile.mkdtemp(prefix="postgres-"))  # not in the folder, which only its owner may enter
    as_whom: list[str] = []
    if os.getuid() == 0:
        shutil.chown(data, "nobody", "nogroup")
        as_whom = [find_program("setpriv"), "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
    (port,) = free_ports(1)
    url = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
    here = {"HOME": str(data), "LC_ALL": "C"}
    try:
        run([*as_whom, create, "-D", data / "db", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"], environ=here)
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(data), "-F"]
        command: list[str | Path] = [*as_whom, server, "-D", data / "db", *options]
        with running(command, folder / "postgres.log", is_up=lambda: _answers(url), environ=here):
            yield url
    finally:
        shutil.rmtree(data)


def _program(name: str) -> str:
    """Debian keeps them in folders of their version, outside of PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if versions:
        return str(versions[-1])
    try:
        return find_program(name)
    except Missing:
        raise Missing("postgresql is not installed: make test-servers") from None


def _answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
