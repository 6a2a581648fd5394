from __future__ import annotations

import pytest
from ledger.memory_store import MemoryStore


@pytest.fixture(params=["file", "bucket"])
def store(request: pytest.FixtureRequest) -> MemoryStore:
    return MemoryStore(can_append=request.param == "file")


@pytest.fixture
def file_store() -> MemoryStore:
    return MemoryStore(can_append=True)


@pytest.fixture
def bucket() -> MemoryStore:
    return MemoryStore(can_append=False)
