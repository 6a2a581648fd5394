"""Guards two faults of cloud-files: credentials without a session token, and servers that share a bucket's name."""

from __future__ import annotations

import os
import re
import threading
import zlib

_lock = threading.Lock()
_ENDPOINT = re.compile(r"s3://(https?://[^/]+)/+(.*)")


def cloud_path(url: str) -> str:
    """The URL as cloud-files and CloudVolume must be given it, so that each server has connections of its own.

    cloud-files keeps its connections by bucket, whatever the server; by the name of an alias it tells them apart.
    """
    found = _ENDPOINT.fullmatch(url)
    if found is None:
        return url
    from cloudfiles import paths

    server, path = found[1], found[2]
    alias = f"s3at{zlib.crc32(server.encode()):08x}"
    with _lock:
        if alias not in paths.ALIASES:
            paths.add_alias(alias, f"s3://{server}/")
    return f"{alias}://{path}"


def s3_secrets(url: str) -> dict[str, str] | None:
    """The S3 credentials of a bucket, from a secrets file or the environment; None leaves it to boto3's own ways."""
    found = _ENDPOINT.fullmatch(url)
    bucket = (found[2] if found else url.removeprefix("s3://")).split("/")[0]
    if "AWS_ACCESS_KEY_ID" in os.environ:
        os.environ.setdefault("AWS_SESSION_TOKEN", "")  # cloud-files demands it; empty means none, also to boto3
    from cloudfiles.secrets import aws_credentials

    return aws_credentials(bucket, "s3") or None
