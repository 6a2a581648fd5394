"""Paths and URLs as people write them, brought to one form; and keys, kept inside their store."""

from __future__ import annotations

import os
import re

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.secrets import refuse_password

SCHEMES = ("file", "mem", "s3", "gs", "https", "http")
GRAPHENE = "graphene://"  # before the URL of a server
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def normalize(url: str) -> str:
    """The one form of a path or URL: absolute, with a scheme, without a slash at its end."""
    refuse_password(url)
    url = url.strip().removeprefix("precomputed://")
    if url.startswith(GRAPHENE):
        return GRAPHENE + _server(url.removeprefix(GRAPHENE))
    scheme = _SCHEME.match(url)
    if scheme is None:
        return f"file://{_absolute(url)}"
    if scheme[1] == "file":
        return f"file://{_absolute(url.removeprefix('file://'))}"
    if scheme[1] not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise BadUsage(f"{scheme[1]}:// is no place for data: give a path or a URL that begins with {known}")
    if not url[scheme.end() :].strip("/"):
        raise BadUsage(f"{url} names no bucket or server")
    return url.rstrip("/")


def confine(key: str, url: str) -> str:
    """The key, if it stays below its store; BadInput if it could leave it."""
    parts = key.split("/")
    if not key or "" in parts or "." in parts or ".." in parts or "\\" in key or "\0" in key:
        raise BadInput(
            f"{key!r} is no key within {url}: absolute paths, '.', '..', '//', backslashes and NUL are refused"
        )
    return key


def confine_prefix(prefix: str, url: str) -> str:
    """The beginning of keys, if all of them stay below their store."""
    if prefix:
        confine(f"{prefix}x", url)
    return prefix


def is_local(url: str) -> bool:
    """Whether a store answers without a network protocol of its own."""
    return url.startswith(("file://", "mem://"))


def _server(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise BadUsage(
            f"{GRAPHENE} stands before the URL of a server, like {GRAPHENE}https://SERVER/segmentation/table/NAME"
        )
    return normalize(url)


def _absolute(path: str) -> str:
    if not path:
        raise BadUsage("an empty path names no layer")
    if "\0" in path:
        raise BadUsage("a path must not hold a NUL")
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path.resolve would follow links
