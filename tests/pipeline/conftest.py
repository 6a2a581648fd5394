from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def forget_plugins() -> Iterator[None]:
    """Modules that a test imports as plugins are gone after it, since names of modules are global."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.split(".")[0].startswith("trial_"):
            del sys.modules[name]
