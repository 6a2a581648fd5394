"""Places as people type them, brought to the form in which every machine means the same place by them."""

from __future__ import annotations

import os

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.secrets import refuse_password
from teravox.pipeline.storage.urls import normalize

_SQS = ("sqs", "https", "http")


def layer_url(text: str) -> str:
    """`./seg` as `file:///abs/seg`; a URL as it is, without `precomputed://`."""
    try:
        return normalize(text)
    except BadUsage as error:
        raise ValueError(str(error)) from None


def queue_url(text: str) -> str:
    """`./q` as `fq:///abs/q`; the URL of an SQS queue as it is."""
    _refuse_password(text)
    scheme, found, rest = text.strip().partition("://")
    if found and scheme in _SQS:
        return text.strip()
    if found and scheme not in {"fq", "file"}:
        raise ValueError(f"{scheme}:// is no queue; give a folder, or sqs://NAME")
    return f"fq://{_absolute(rest if found else text, 'a queue')}"


def whole_path(text: str) -> str:
    """The absolute path of a file or folder."""
    _refuse_password(text)
    text = text.removeprefix("file://")
    if "://" in text:
        raise ValueError(f"expected a path of this machine, got the URL {text}")
    return _absolute(text, "a path")


def known_file(text: str) -> KnownFile:
    """A file of this machine, with the hash of what it holds now."""
    try:
        return KnownFile.at(whole_path(text))
    except BadUsage as error:
        raise ValueError(str(error)) from None


def layer_or_file(text: str) -> KnownFile | str:
    """A file of this machine, with the hash of what it holds now; else a layer."""
    is_file = "://" not in text and os.path.isfile(os.path.expanduser(text.strip()))  # noqa: PTH111, PTH113 - as below
    return known_file(text) if is_file else layer_url(text)


def _refuse_password(text: str) -> None:
    try:
        refuse_password(text)
    except BadUsage as error:
        raise ValueError(str(error)) from None


def _absolute(text: str, what: str) -> str:
    if not text.strip():
        raise ValueError(f"expected {what}, got nothing")
    if "\0" in text:
        raise ValueError("a path must not hold a NUL")
    return os.path.abspath(os.path.expanduser(text.strip()))  # noqa: PTH100, PTH111 - Path.resolve would follow links
