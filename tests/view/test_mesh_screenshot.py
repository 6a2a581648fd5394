"""What a person sees of meshes: the real client draws them in its 3-D panel, in the color of their segment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layers.make import Vec as Size
from layers.make import make_layer
from view.browser import Page
from view.showing import models_only, share_of, viewed

from teravox.cli.main import main
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.objects.result_folder import MARK

pytestmark = pytest.mark.server

SIZE: Size = (160, 160, 160)
OFFSET: Size = (33, -70, 11)
BALL, BAR = 7, 2**63 + 5
COLORS = {BALL: "#ff8000", BAR: "#00a0ff"}
FILLED = 0.1  # of the pixels of the 3-D panel, at least, that a ball of most of the volume fills


def make_ball(folder: Path) -> str:
    """A segmentation of a large ball, and of a bar that it does not touch."""
    x, y, z = np.ogrid[: SIZE[0], : SIZE[1], : SIZE[2]]
    voxels = np.zeros((*SIZE, 1), np.uint64, order="F")
    voxels[(x - 80) ** 2 + (y - 80) ** 2 + (z - 80) ** 2 < 68**2] = BALL
    voxels[2:9, 2:150, 2:9] = BAR
    return make_layer(folder, voxels, chunk=(64, 64, 64), offset=OFFSET, type="segmentation", resolution=(8, 8, 8))


def forge(path: str) -> None:
    assert (
        main(["mesh", "forge", path, "--shape", "64,64,64", "--cell", "32,32,32", "--max-error", "4", "--quiet"]) == 0
    )


def merge(path: str, form: str) -> None:
    assert main(["mesh", "merge", path, "--format", form, "--min-chunk-size", "32,32,32", "--quiet"]) == 0


@pytest.mark.parametrize("form", ["sharded", "multires", "legacy"])
def test_the_mesh_of_a_segment_is_drawn_in_its_color(page: Page, tmp_path: Path, form: str) -> None:
    path = make_ball(tmp_path / "seg")
    forge(path)
    merge(path, form)
    assert (open_meshes(Layer.open(path, fresh=True)).levels(BALL) > 2) == (form != "legacy")
    with viewed(page, f"mesh_{form}_with_slices", tmp_path, path, "--segments", str(BALL)) as seen:
        space = models_only(page, seen, COLORS, f"mesh_{form}", tmp_path)
        assert share_of(COLORS[BALL], space) > FILLED
        assert share_of(COLORS[BAR], space) == 0


def test_a_blank_panel_fails_the_same_check(page: Page, tmp_path: Path) -> None:
    path = make_ball(tmp_path / "seg")
    with viewed(page, "mesh_none_with_slices", tmp_path, path, "--segments", str(BALL)) as seen:
        assert share_of(COLORS[BALL], models_only(page, seen, COLORS, "mesh_none", tmp_path)) == 0


def test_a_copy_in_shards_is_drawn_too(page: Page, tmp_path: Path) -> None:
    path = make_ball(tmp_path / "seg")
    forge(path)
    merge(path, "multires")
    copy = str(tmp_path / "copy")
    assert main(["shard", "mesh", path, copy, "--quiet"]) == 0
    assert MARK in (tmp_path / "copy/mesh/info").read_text()
    with viewed(page, "mesh_copy_with_slices", tmp_path, copy, "--segments", f"{BALL},{BAR}") as seen:
        space = models_only(page, seen, COLORS, "mesh_copy", tmp_path)
        assert share_of(COLORS[BALL], space) > FILLED
        assert share_of(COLORS[BAR], space) > 0.002
