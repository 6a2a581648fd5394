"""A place to try things in: stores are overlaid, so jobs can be prepared and pieces run, and nothing is changed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from teravox.pipeline.layers.layer import forget_layers
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.overlay import Overlay, lay_overlay


@contextmanager
def trying(scratch: str | None = None) -> Iterator[Overlay]:
    """Everything that is written meanwhile goes to a scratch, which is removed: a new folder here, or a URL that is given."""
    with tempfile.TemporaryDirectory(prefix="teravox-plan-") as folder:
        forget_layers()
        try:
            with lay_overlay(scratch or folder) as overlay:
                yield overlay
        finally:
            forget_layers()
            if scratch is not None:
                store = open_store(scratch)
                store.delete(store.list())
