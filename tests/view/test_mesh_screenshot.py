"""What a person sees of meshes: the real client draws them in its 3-D panel, in the color of their segment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from layers.make import Array, make_layer
from layers.make import Vec as Size
from view.browser import Page, Picture
from view.test_screenshot import READY, Seen, viewed

from teravox.cli.main import main
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.meshes.result_folder import MARK

pytestmark = pytest.mark.server

SIZE: Size = (160, 160, 160)
OFFSET: Size = (33, -70, 11)
BALL, BAR = 7, 2**63 + 5
COLORS = {BALL: ("#ff8000", (255, 128, 0)), BAR: ("#00a0ff", (0, 160, 255))}
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


def keep(png: bytes, name: str, folder: Path) -> None:
    """Put a picture where people can look at it."""
    kept = Path(os.environ.get("TERAVOX_TEST_PICTURES") or folder)
    (kept / f"{name}.png").write_bytes(png)


def meshes_only(page: Page, seen: Seen, name: str, folder: Path) -> Array:
    """The 3-D panel without anything but meshes, in our colors."""
    state = seen.state | {"showSlices": False, "showAxisLines": False}
    state["layers"][0]["segmentColors"] = {str(label): color for label, (color, _) in COLORS.items()}
    page.evaluate(f"viewer.state.restoreState({json.dumps(state)})")
    page.evaluate("requestAnimationFrame(() => requestAnimationFrame(() => { window.isDrawn = true; }))")
    page.wait_for(f"window.isDrawn && {READY}")
    png, picture = page.take_picture()
    keep(png, name, folder)
    return _space(seen, picture)


def _space(seen: Seen, picture: Picture) -> Array:
    left, top, width, height = map(int, seen.panels[2])
    return picture[top + 5 : top + height - 5, left + 5 : left + width - 5].astype(float)


def share_of(label: int, space: Array) -> float:
    """How many of the pixels have the color of a segment, in whatever light."""
    color = np.array(COLORS[label][1], float)
    bright = np.linalg.norm(space, axis=2)
    likeness = space @ (color / np.linalg.norm(color)) / np.maximum(bright, 1)
    return float(((likeness > 0.98) & (bright > 40)).mean())


@pytest.mark.parametrize("form", ["sharded", "multires", "legacy"])
def test_the_mesh_of_a_segment_is_drawn_in_its_color(page: Page, tmp_path: Path, form: str) -> None:
    path = make_ball(tmp_path / "seg")
    forge(path)
    merge(path, form)
    assert (open_meshes(Layer.open(path, fresh=True)).levels(BALL) > 2) == (form != "legacy")
    with viewed(page, f"mesh_{form}_with_slices", tmp_path, path, "--segments", str(BALL)) as seen:
        space = meshes_only(page, seen, f"mesh_{form}", tmp_path)
        assert share_of(BALL, space) > FILLED
        assert share_of(BAR, space) == 0


def test_a_blank_panel_fails_the_same_check(page: Page, tmp_path: Path) -> None:
    path = make_ball(tmp_path / "seg")
    with viewed(page, "mesh_none_with_slices", tmp_path, path, "--segments", str(BALL)) as seen:
        assert share_of(BALL, meshes_only(page, seen, "mesh_none", tmp_path)) == 0


def test_a_copy_in_shards_is_drawn_too(page: Page, tmp_path: Path) -> None:
    path = make_ball(tmp_path / "seg")
    forge(path)
    merge(path, "multires")
    copy = str(tmp_path / "copy")
    assert main(["shard", "mesh", path, copy, "--quiet"]) == 0
    assert MARK in (tmp_path / "copy/mesh/info").read_text()
    with viewed(page, "mesh_copy_with_slices", tmp_path, copy, "--segments", f"{BALL},{BAR}") as seen:
        space = meshes_only(page, seen, "mesh_copy", tmp_path)
        assert share_of(BALL, space) > FILLED
        assert share_of(BAR, space) > 0.002
