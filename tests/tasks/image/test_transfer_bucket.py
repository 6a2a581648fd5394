"""`image transfer` to a bucket of a real S3 server and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layers.copies import do, with_memory
from layers.make import make_layer, voxels

from teravox.pipeline.storage.open import open_store
from teravox.tasks.image.transfer import Transfer


@pytest.mark.server
@pytest.mark.parametrize("options", [{}, {"sharded": True}, {"encoding": "png", "num_mips": 1}])
def test_a_layer_comes_back_from_a_bucket_as_it_was(
    tmp_path: Path, layer_in_bucket: str, options: dict[str, Any]
) -> None:
    source = make_layer(tmp_path / "source", voxels((40, 40, 9), "uint8"), offset=(3, 5, 1))
    do(Transfer(source, str(tmp_path / "here"), **options))
    job = with_memory(Transfer(source, layer_in_bucket, **options), 0.3)
    do(job)
    do(job)  # again, onto what is there
    do(Transfer(layer_in_bucket, str(tmp_path / "back"), encoding="raw", compress="gzip"))

    theirs, ours = open_store(layer_in_bucket), open_store(str(tmp_path / "here"))
    if not options.get("sharded"):
        assert set(theirs.list()) == set(ours.list())
        chunks = [key for key in ours.list() if "/" in key]
        assert theirs.get_many(chunks) == ours.get_many(chunks)
    back, first = open_store(str(tmp_path / "back")), open_store(source)
    chunks = [key for key in first.list() if "/" in key]
    assert back.get_many(chunks) == first.get_many(chunks)
