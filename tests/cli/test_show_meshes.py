"""What `teravox show` tells of meshes and of fragments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.running import Run
from layers.make import make_layer
from meshes.meshed_layers import make_meshed, volume


def parts(run: Run, path: str) -> dict[str, dict[str, Any]]:
    code, out, err = run("show", path, "--json")
    assert (code, err) == (0, "")
    return {part["what"]: part for part in json.loads(out)["parts"]}


@pytest.mark.parametrize(
    ("form", "type", "details"),
    [
        ("legacy", "neuroglancer_legacy_mesh", ""),
        ("multires", "neuroglancer_multilod_draco", "10-bit vertices"),
        ("sharded", "neuroglancer_multilod_draco", "10-bit vertices, 3 labels, up to 3 levels"),
    ],
)
def test_the_form_the_labels_and_the_levels_are_told(
    run: Run, tmp_path: Path, form: str, type: str, details: str
) -> None:
    seen = parts(run, make_meshed(tmp_path / "seg", form, bits=10).path)
    assert seen == {
        "mesh": {
            "what": "mesh",
            "key": "mesh",
            "found": True,
            "type": type,
            "is_sharded": form == "sharded",
            "details": details,
        }
    }


def test_damaged_meshes_do_not_hide_the_rest(run: Run, tmp_path: Path) -> None:
    path = make_meshed(tmp_path / "seg", "sharded").path
    shard = tmp_path / "seg/mesh/1.shard"
    shard.write_bytes(shard.read_bytes()[:40])
    assert "1.shard cannot be read: it ends within its index" in parts(run, path)["mesh"]["details"]


def test_fragments_are_told_until_they_are_merged_and_after(run: Run, tmp_path: Path) -> None:
    voxels = volume()[..., np.newaxis]
    path = make_layer(tmp_path / "seg", voxels, chunk=(16, 16, 16), type="segmentation", resolution=(4, 4, 40))
    assert parts(run, path) == {}
    assert run("mesh", "forge", path, "--shape", "16,16,16", "--quiet").code == 0
    said = parts(run, path)["fragments"]
    assert said["key"].startswith("mesh.fragments/")
    assert said["details"] == f"mip 0, 18 pieces, not yet merged: teravox mesh merge file://{path}"
    assert "mesh fragments" in run("show", path).out
    assert run("mesh", "merge", path, "--quiet").code == 0
    seen = parts(run, path)
    assert seen["fragments"]["details"] == "mip 0, 18 pieces, merged"
    assert seen["mesh"]["details"] == "16-bit vertices, 3 labels, 1 level"
    assert run("mesh", "clean", path, "--yes", "--quiet").code == 0
    assert set(parts(run, path)) == {"mesh"}
