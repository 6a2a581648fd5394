"""Meshes in a bucket of a real S3 server: copied there and back, read, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layers.copies import do
from meshes.meshed_layers import BIG, FORMS, make_meshed, triangles

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.storage.open import open_store
from teravox.tasks.mesh.clean import Clean
from teravox.tasks.mesh.rm import Rm
from teravox.tasks.mesh.transfer import Transfer

pytestmark = pytest.mark.server


@pytest.mark.parametrize("form", FORMS)
def test_meshes_come_back_from_a_bucket_as_they_were(tmp_path: Path, layer_in_bucket: str, form: Any) -> None:
    made = make_meshed(tmp_path / "seg", "multires")
    for _ in range(2):
        do(Transfer(made.path, layer_in_bucket, format=form))
    there = open_meshes(Layer.open(layer_in_bucket, fresh=True))
    assert sorted(there.labels()) == [7, 300, BIG]
    mesh = there.get(BIG)
    assert mesh is not None
    assert triangles(mesh) == triangles(made.mesh(BIG))
    do(Transfer(layer_in_bucket, str(tmp_path / "back"), format="multires"))
    back = open_meshes(Layer.open(str(tmp_path / "back"))).get(7)
    assert back is not None
    assert len(back.faces) == len(made.surfaces[7].faces)

    store = open_store(layer_in_bucket)
    store.put("mesh_0a1b2c3d/info", b'{"@type": "neuroglancer_legacy_mesh", "teravox": {"job": "0a1b2c3d"}}')
    store.put("mesh_0a1b2c3d/5:0", b"{}")
    store.put("mesh.fragments/0123456789abcdef/0-8.frags", b"fragments")
    assert "meshes in mesh_0a1b2c3d (2 objects)" in str(Clean(layer_in_bucket).question())
    do(Clean(layer_in_bucket))
    assert sorted(there.labels()) == [7, 300, BIG]
    do(Rm(layer_in_bucket))
    assert {key for key in store.list() if not key.startswith("ledger/")} == {"info", "provenance"}
