"""Removes whole folders of a layer; a bucket has none, only keys that look like it."""

# System calls by their names, as in the store:
# ruff: noqa: PTH106
from __future__ import annotations

import contextlib
import os

from teravox.pipeline.storage.overlay import laid_overlay
from teravox.pipeline.storage.urls import confine
from teravox.pipeline.store import Store


def remove_folder(store: Store, folder: str) -> None:
    """Remove all that lies in a folder, and the folder itself. It may be repeated."""
    store.delete(store.list(f"{folder}/"))
    remove_empty_folders(store, folder)


def remove_empty_folders(store: Store, folder: str) -> None:
    """Remove a folder with those in it and around it, as far as they are empty; the store's own stays."""
    if not store.url.startswith("file://") or laid_overlay() is not None:
        return
    root = store.url.removeprefix("file://")
    for inner, *_ in os.walk(f"{root}/{confine(folder, store.url)}", topdown=False):
        _remove(inner)
    while folder := folder.rpartition("/")[0]:
        _remove(f"{root}/{folder}")


def _remove(folder: str) -> None:
    with contextlib.suppress(OSError):  # it is not empty, not ours or gone: none of these does harm
        os.rmdir(folder)
