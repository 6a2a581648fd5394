"""Skeletons in a bucket of a real S3 server: copied there and back, read, measured, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.copies import do
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
def test_skeletons_come_back_from_a_bucket_as_they_were(tmp_path: Path, layer_in_bucket: str, form: Any) -> None:
    made = make_skeletal(tmp_path / "seg", "legacy", name="skeleton")
    for _ in range(2):
        do(Transfer(made.path, layer_in_bucket, format=form))
    there = SkeletonSource.open(Layer.open(layer_in_bucket, fresh=True))
    assert (there.form, sorted(there.labels())) == (form, LABELS)
    assert [there.has(7), there.has(8)] == [True, False]
    assert main(["skeleton", "measure", layer_in_bucket, "-o", str(tmp_path / "m.csv"), "--quiet"]) == 0
    assert len((tmp_path / "m.csv").read_text().splitlines()) == 5
    do(Transfer(layer_in_bucket, str(tmp_path / "back"), format="legacy"))
    for label, one in SkeletonSource.open(Layer.open(str(tmp_path / "back"))).each():
        assert np.array_equal(one.vertices, made.skeletons[label].vertices)
    assert main(["skeleton", "convert", layer_in_bucket, "7", "--output", str(tmp_path), "--quiet"]) == 0
    assert main(["skeleton", "convert", str(tmp_path / "7.swc"), layer_in_bucket, "--quiet"]) == 0
    assert list(SkeletonSource.open(Layer.open(layer_in_bucket, fresh=True)).labels()) == [7]

    store = open_store(layer_in_bucket)
    store.put("skeleton.fragments/0123456789abcdef/0-8.frags", b"fragments")
    assert "fragments in skeleton.fragments/0123456789abcdef (1 object)" in str(Clean(layer_in_bucket).question())
    do(Clean(layer_in_bucket))
    assert list(SkeletonSource.open(Layer.open(layer_in_bucket, fresh=True)).labels()) == [7]
    do(Rm(layer_in_bucket))
    assert {key for key in store.list() if not key.startswith("ledger/")} == {"info", "provenance"}
