"""Opens the store at a path or URL."""

from __future__ import annotations

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.storage.file_store import FileStore
from teravox.pipeline.storage.memory_store import MemoryStore
from teravox.pipeline.storage.overlay import laid_overlay
from teravox.pipeline.storage.urls import GRAPHENE, normalize
from teravox.pipeline.store import Store


def open_store(url: str, *, durable: bool = False) -> Store:
    """The store at a plain path, or at a file://, mem://, s3://, gs:// or (to read) https:// URL; nothing is contacted yet.

    `durable` brings every write to the disk before it counts as done, also where the operator has not asked for it
    of the whole process; buckets always do.
    """
    overlay = laid_overlay()
    if overlay is None:
        return _open_plainly(url, durable=durable)
    return overlay.over(_open_plainly(url, durable=durable), _open_plainly)


def _open_plainly(url: str, *, durable: bool = False) -> Store:
    url = normalize(url)
    if url.startswith("file://"):
        return FileStore(url.removeprefix("file://"), durable=durable)
    if url.startswith("mem://"):
        return MemoryStore(url)
    if url.startswith(("https://", "http://")):
        from teravox.pipeline.storage.web_store import WebStore

        return WebStore(url)
    if url.startswith(GRAPHENE):
        raise BadUsage(
            f"{url} changes while people proofread it, and is no layer: make one of its bodies at a moment with: "
            f"teravox create {url} DEST --timestamp TIME"
        )
    from teravox.pipeline.storage.cloud_store import CloudStore

    return CloudStore(url)
