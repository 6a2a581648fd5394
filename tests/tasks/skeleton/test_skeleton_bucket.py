"""Skeletons in a bucket of a real S3 server: copied there and back, read, measured, removed."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.copies import do
from servers.seaweed import S3
from skeletons.skeletal_layers import BIG, FORMS, make_skeletal

from teravox.cli.main import main
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource
from teravox.pipeline.storage.open import open_store
from teravox.tasks.skeleton.clean import Clean
from teravox.tasks.skeleton.rm import Rm
from teravox.tasks.skeleton.transfer import Transfer

pytestmark = pytest.mark.server
LABELS = [7, 12, 300, BIG]


@pytest.mark.parametrize("form", FORMS)
def test_skeletons_come_back_from_a_bucket_as_they_were(tmp_path: Path, s3: S3, form: Any) -> None:
    made = make_skeletal(tmp_path / "seg", "legacy", name="skeleton")
    bucket = f"skeletons-{secrets.token_hex(4)}"
    s3.create_bucket(bucket)
    url = s3.url(f"{bucket}/deep/layer")
    for _ in range(2):
        do(Transfer(made.path, url, format=form))
    there = SkeletonSource.open(Layer.open(url, fresh=True))
    assert (there.form, sorted(there.labels())) == (form, LABELS)
    assert [there.has(7), there.has(8)] == [True, False]
    assert main(["skeleton", "measure", url, "-o", str(tmp_path / "m.csv"), "--quiet"]) == 0
    assert len((tmp_path / "m.csv").read_text().splitlines()) == 5
    do(Transfer(url, str(tmp_path / "back"), format="legacy"))
    for label, one in SkeletonSource.open(Layer.open(str(tmp_path / "back"))).each():
        assert np.array_equal(one.vertices, made.skeletons[label].vertices)
    assert main(["skeleton", "convert", url, "7", "--output", str(tmp_path), "--quiet"]) == 0
    assert main(["skeleton", "convert", str(tmp_path / "7.swc"), url, "--quiet"]) == 0
    assert list(SkeletonSource.open(Layer.open(url, fresh=True)).labels()) == [7]

    store = open_store(url)
    store.put("skeleton.fragments/0123456789abcdef/0-8.frags", b"fragments")
    assert "fragments in skeleton.fragments/0123456789abcdef (1 object)" in str(Clean(url).question())
    do(Clean(url))
    assert list(SkeletonSource.open(Layer.open(url, fresh=True)).labels()) == [7]
    do(Rm(url))
    assert {key for key in store.list() if not key.startswith("ledger/")} == {"info", "provenance"}
