"""The store in a bucket; cloud-files moves the bytes."""

from __future__ import annotations

import base64
import hashlib
import inspect
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from teravox.pipeline.errors import BadInput, Fatal, TeravoxError, Transient
from teravox.pipeline.storage.cloud_errors import explain, is_beyond_the_end
from teravox.pipeline.storage.endpoints import cloud_path, s3_secrets
from teravox.pipeline.storage.urls import confine_prefix
from teravox.pipeline.storage.whole_objects import Stored, WholeObjects, refuse_range
from teravox.pipeline.store import Compression

T = TypeVar("T")

PAUSES = (0.3, 1.0, 3.0)  # seconds, before the second, third and fourth try
_ENCODINGS: dict[str, Compression | None] = {
    "": None,
    "identity": None,
    "gzip": "gzip",
    "x-gzip": "gzip",
    "br": "br",
    "zstd": "zstd",
}


class CloudStore(WholeObjects):
    """Objects at an s3:// or gs:// URL.

    It goes below CloudFiles, to the interface that this one makes for each protocol: CloudFiles sleeps 0.1 s
    in every call for several objects, and asks seven times, for up to a minute, whether a bucket is still missing.
    """

    can_append = False

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._scheme = url.partition("://")[0]
        self._path = cloud_path(url)
        self._secrets = s3_secrets(url) if self._scheme == "s3" else None
        self._here = threading.local()

    def append(self, key: str, data: bytes) -> None:  # noqa: ARG002 - the contract's form
        raise Fatal(f"cannot append to {self.url}/{key}: objects in a bucket are written whole")

    def list(self, prefix: str = "") -> Iterator[str]:
        confine_prefix(prefix, self.url)
        try:
            yield from self._interface().list_files(prefix=prefix, flat=False)
        except Exception as error:  # each protocol's library has exceptions of its own
            raise explain(error, "list", f"{self.url}/{prefix}") from error

    def list_sizes(self, prefix: str = "") -> Iterator[tuple[str, int, Compression | None]]:
        confine_prefix(prefix, self.url)
        try:
            for key, size in self._interface().list_files(prefix=prefix, flat=False, size=True):
                yield key, size, None  # a listing does not say how an object is compressed
        except Exception as error:  # each protocol's library has exceptions of its own
            raise explain(error, "list", f"{self.url}/{prefix}") from error

    def _fetch(self, key: str, most: int | None) -> Stored | None:  # noqa: ARG002 - cloud-files reads objects whole
        content, encoding, checksum, sort = self._ask("get_file", "read", key)
        if content is None:
            return None
        if not _is_sound(content, checksum, sort):
            raise Transient(f"{self.url}/{key} arrived damaged: its {sort} is not what the server says")
        return content, compression_called(encoding or "", self.url, key)

    def _fetch_range(self, key: str, start: int, stop: int) -> bytes | None:
        try:
            content, encoding, _, _ = self._ask("get_file", "read", key, start=start, end=stop)
        except Fatal as error:
            if is_beyond_the_end(error.__cause__):
                return b""
            raise
        if content is None:
            return None
        if compression_called(encoding or "", self.url, key) is not None:
            raise refuse_range(self.url, key)
        part: bytes = content
        return part

    def _store(self, key: str, stored: bytes | bytearray, how: Compression | None, content_type: str) -> None:
        caching = "no-cache" if content_type == "application/json" else None  # info and provenance change
        self._ask("put_file", "write", key, bytes(stored), content_type, how, cache_control=caching)

    def _store_parts(self, key: str, parts: Iterable[bytes], how: Compression | None, content_type: str) -> None:
        if self._scheme != "s3":  # cloud-files uploads files to no other
            super()._store_parts(key, parts, how, content_type)
            return
        with tempfile.TemporaryFile() as file:
            file.writelines(parts)

            def put() -> None:
                file.seek(0)
                interface = self._interface()
                inspect.unwrap(type(interface).put_file)(interface, key, file, content_type, how)

            self._insist("write", key, put)

    def _has(self, key: str) -> bool:
        return bool(self._ask("exists", "look for", key))

    def _remove(self, key: str) -> None:
        self._ask("delete_file", "remove", key)

    def _ask(
        self, method: str, verb: str, key: str, *args: object, **options: object
    ) -> Any:  # what it returns differs by method
        """Call the protocol's own function, without the library's retries."""

        def call() -> Any:  # as above
            interface = self._interface()
            return inspect.unwrap(getattr(type(interface), method))(interface, key, *args, **options)

        return self._insist(verb, key, call)

    def _insist(self, verb: str, key: str, call: Callable[[], T]) -> T:
        """Ask the server, and again after what may pass."""
        for pause in (*PAUSES, None):
            try:
                return call()
            except TeravoxError:
                raise
            except Exception as error:  # each protocol's library has exceptions of its own
                told = explain(error, verb, f"{self.url}/{key}")
                if pause is None or isinstance(told, Fatal):
                    raise told from error
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the load, keeps no secret
        raise AssertionError  # the last turn of the loop returns or raises

    def _interface(self) -> Any:  # cloud-files has no types
        """This thread's connection."""
        if not hasattr(self._here, "interface"):
            from cloudfiles import interfaces, paths

            classes = {
                "s3": interfaces.S3Interface,
                "gs": interfaces.GoogleCloudStorageInterface,
                "http": interfaces.HttpInterface,
                "https": interfaces.HttpInterface,
            }
            self._here.interface = classes[self._scheme](paths.extract(self._path), secrets=self._secrets)
        return self._here.interface


def compression_called(encoding: str, url: str, key: str) -> Compression | None:
    """The compression that a server means; BadInput where it is none of ours."""
    if encoding not in _ENCODINGS:
        raise BadInput(f"{url}/{key} is compressed as {encoding!r}; teravox reads gzip, br, zstd or none")
    return _ENCODINGS[encoding]


def _is_sound(content: bytes, checksum: str | None, sort: str | None) -> bool:
    """Whether bytes are what the server says it sent; true where it does not say."""
    if checksum is None:
        return True
    if sort == "md5":
        ours = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        return ours.rstrip("=") == checksum.rstrip("=")
    import crc32c
    from cloudfiles.lib import decode_crc32c_b64

    return bool(crc32c.crc32c(content) == decode_crc32c_b64(checksum))
