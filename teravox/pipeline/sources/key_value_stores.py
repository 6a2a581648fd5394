"""Paths and URLs as TensorStore names them."""

from __future__ import annotations

import os
import re
from typing import Any

from teravox.pipeline.errors import BadUsage

Json = dict[str, Any]  # JSON may hold anything
_SERVER = re.compile(r"s3://(https?://[^/]+)/+(.*)")


def key_value_store(url: str) -> Json:
    """The key-value store at a file://, s3://, gs:// or https:// URL, which ends at a folder."""
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        return {"driver": "file", "path": f"{rest}/"}
    if scheme in {"http", "https"}:
        return {"driver": "http", "base_url": f"{url}/"}
    server = _SERVER.fullmatch(url)
    bucket, _, path = (server[2] if server else rest).partition("/")
    if scheme == "gs":
        return {"driver": "gcs", "bucket": bucket, "path": f"{path}/"}
    if scheme != "s3":
        raise BadUsage(f"{url}: Zarr and N5 can be read from paths and from s3://, gs:// and https:// URLs")
    store: Json = {"driver": "s3", "bucket": bucket, "path": f"{path}/"}
    if server:
        store |= {"endpoint": server[1], "aws_region": os.environ.get("AWS_DEFAULT_REGION", "us-east-1")}
    return store
