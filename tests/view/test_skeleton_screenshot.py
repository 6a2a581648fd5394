"""What a person sees of skeletons: the real client draws them in its 3-D panel, in the color of their segment."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.make import make_layer
from skeletons.skeletal_layers import ATTRIBUTES, BIG, FORMS, Lines, lines, make_empty, make_skeletal
from view.browser import Page
from view.showing import models_only, share_of, viewed

from teravox.cli.main import main

pytestmark = pytest.mark.server

COMB = 7
COLORS = {COMB: "#ff8000", BIG: "#00a0ff"}
FLOATS = [one for one in ATTRIBUTES if one["data_type"] == "float32"]  # which the client takes as they are
ZOOM = 4  # since a volume of flat voxels is small in its panel
DRAWN = 0.02  # of the pixels of the 3-D panel, at least, that many long lines fill


def comb() -> dict[int, Lines]:
    """Many long lines beside each other, and one of another label."""
    teeth = [(x, y, z) for z in range(1, 24, 3) for x in range(2, 38, 3) for y in (2, 33)]
    edges = [(n, n + 1) for n in range(0, len(teeth), 2)] + [(n, n + 2) for n in range(0, len(teeth) - 2, 2)]
    return {COMB: lines(teeth, edges), BIG: lines([(1, 18, 7), (38, 18, 7)], [(0, 1)])}


@pytest.mark.parametrize("attributes", [FLOATS, ATTRIBUTES], ids=["floats", "all types"])
@pytest.mark.parametrize("form", FORMS)
def test_the_skeleton_of_a_segment_is_drawn_in_its_color(
    page: Page, tmp_path: Path, form: str, attributes: list[dict[str, Any]]
) -> None:
    path = make_skeletal(tmp_path / "seg", form, skeletons=comb(), attributes=attributes).path
    name = f"skeleton_{form}_{len(attributes)}"
    with viewed(page, f"{name}_with_slices", tmp_path, path, "--segments", str(COMB)) as seen:
        space = models_only(page, seen, COLORS, name, tmp_path, zoom=ZOOM)
        assert share_of(COLORS[COMB], space) > DRAWN
        assert share_of(COLORS[BIG], space) == 0


@pytest.mark.parametrize("form", FORMS)
def test_what_forge_and_merge_make_is_drawn(page: Page, tmp_path: Path, form: str) -> None:
    voxels = np.zeros((120, 120, 120, 1), np.uint64, order="F")
    for x, z in product(range(4, 116, 16), repeat=2):
        voxels[x : x + 6, 2:118, z : z + 6] = COMB
    voxels[:, :6, :6] = BIG
    path = make_layer(tmp_path / "seg", voxels, chunk=(64, 64, 64), type="segmentation", resolution=(8, 8, 8))
    words = ["--min-cable-length", "100", "--format", form, "--quiet"]
    assert main(["skeleton", "forge", path, "--shape", "64,64,64", "--quiet"]) == 0
    assert main(["skeleton", "merge", path, *words]) == 0
    with viewed(page, f"skeleton_merged_{form}_with_slices", tmp_path, path, "--segments", str(COMB)) as seen:
        space = models_only(page, seen, COLORS, f"skeleton_merged_{form}", tmp_path)
        assert share_of(COLORS[COMB], space) > DRAWN
        assert share_of(COLORS[BIG], space) == 0


def test_a_panel_without_skeletons_fails_the_same_check(page: Page, tmp_path: Path) -> None:
    path = make_empty(tmp_path / "seg")
    with viewed(page, "skeleton_none_with_slices", tmp_path, path, "--segments", str(COMB)) as seen:
        assert share_of(COLORS[COMB], models_only(page, seen, COLORS, "skeleton_none", tmp_path, zoom=ZOOM)) == 0


def test_a_copy_in_shards_is_drawn_too(page: Page, tmp_path: Path) -> None:
    path = make_skeletal(tmp_path / "seg", "legacy", skeletons=comb(), attributes=FLOATS).path
    copy = str(tmp_path / "copy")
    assert main(["shard", "skeleton", path, copy, "--quiet"]) == 0
    with viewed(page, "skeleton_copy_with_slices", tmp_path, copy, "--segments", f"{COMB},{BIG}") as seen:
        space = models_only(page, seen, COLORS, "skeleton_copy", tmp_path, zoom=ZOOM)
        assert share_of(COLORS[COMB], space) > DRAWN
        assert share_of(COLORS[BIG], space) > 0.0001
