"""fauxqs: an SQS server in JavaScript, from npm; like AWS, it says yes to a stale delete and keeps the message."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.daemon import Missing, find_program, free_ports, running
from servers.sqs_server import SqsServer

INSTALLED = Path(__file__).parents[2] / "build" / "servers"
VERSION = "1.9.2"  # the last one for Node 20

# It would listen at all addresses, and has no option against that.
START = """
import net from 'node:net';
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (options, ...rest) {
    return listen.call(this, { ...options, host: '127.0.0.1' }, ...rest);
};
const { startFauxqs } = await import(process.argv[2]);
await startFauxqs({ port: Number(process.argv[3]), logger: false });
"""


@contextmanager
def fauxqs(folder: Path) -> Iterator[SqsServer]:
    """A server on loopback alone while the block lasts; its log lies in the folder."""
    app = _install()
    (port,) = free_ports(1)
    server = SqsServer(f"http://127.0.0.1:{port}")
    start = folder / "fauxqs.mjs"
    start.write_text(START)
    command: list[str | Path] = [find_program("node"), start, app, str(port)]
    with running(command, folder / "fauxqs.log", is_up=server.answers):
        yield server


def _install() -> Path:
    """The server's module, from npm at its first use."""
    app = INSTALLED / "node_modules" / "fauxqs" / "dist" / "app.js"
    if app.exists():
        return app
    npm = find_program("npm")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "fauxqs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not app.exists():
            command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(INSTALLED)]
            made = subprocess.run([*command, f"fauxqs@{VERSION}"], capture_output=True, text=True, check=False)
            if made.returncode:
                raise Missing(f"fauxqs could not be installed: {made.stderr.strip()[-500:]}")
    return app
