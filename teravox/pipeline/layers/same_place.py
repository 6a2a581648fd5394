"""Whether two layers are one: a source is never written to."""

from __future__ import annotations

import os

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.storage.urls import normalize


def refuse_same(source: str, dest: str) -> None:
    """Raise BadUsage if two URLs name one folder, also by way of links, or one place in a bucket."""
    if _follow(source) == _follow(dest):
        raise BadUsage(f"DEST: {dest} is the layer that is read, and sources are never written to. Choose another DEST")


def _follow(url: str) -> str:
    url = normalize(url)
    return os.path.realpath(url.removeprefix("file://")) if url.startswith("file://") else url
