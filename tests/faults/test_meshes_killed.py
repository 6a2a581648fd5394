"""Forge and merge are killed again and again, and what they leave in the end is the same as without."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from faults.killing import Options, Tree, differing, kill_and_resume, tree_of
from layers.make import make_layer
from meshes.forging import do, job
from meshes.neurites import neurites

pytestmark = pytest.mark.faults

FORGE: Options = {"shape": (8, 8, 8), "cell": (8, 8, 8), "max_error": 40.0}
SIZE = (64, 56, 48)
PIECES = 8 * 7 * 6
KILLS = 3
MERGES: dict[str, Options] = {
    "legacy": {"format": "legacy"},
    "multires": {"format": "multires", "num_lods": 2, "min_chunk_size": (16, 16, 16)},
    "sharded": {"format": "sharded", "num_lods": 2, "min_chunk_size": (16, 16, 16)},
}


def new_layer(folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    volume = neurites(SIZE, 4, count=40)
    make_layer(
        folder, volume[..., np.newaxis], chunk=(16, 16, 16), offset=(-5, 3, 9), type="segmentation", compress=False
    )
    return f"file://{folder}"  # as commands call it, so that their jobs have the same names


def undisturbed(folder: Path, *jobs: tuple[str, Options]) -> Tree:
    layer = new_layer(folder)
    for kind, options in jobs:
        do(job(kind, layer, **options))
    return tree_of(layer)


def test_a_killed_forge_that_is_resumed_leaves_the_same(tmp_path: Path, figures: Callable[[str], None]) -> None:
    wanted = undisturbed(tmp_path / "layer", ("mesh forge", FORGE))
    layer = new_layer(tmp_path / "layer")
    killed = kill_and_resume("mesh forge", layer, FORGE, KILLS, PIECES)
    same = not differing(tree_of(layer), wanted)
    figures(f"meshes: forge of {PIECES} pieces, {killed} times killed: {'identical' if same else 'DIFFERENT'}")
    assert killed >= 2
    assert same, differing(tree_of(layer), wanted)


@pytest.mark.parametrize("format", MERGES)
def test_a_killed_merge_that_is_resumed_leaves_the_same(
    tmp_path: Path, format: str, figures: Callable[[str], None]
) -> None:
    forged = undisturbed(tmp_path / "layer", ("mesh forge", FORGE))
    wanted = undisturbed(tmp_path / "layer", ("mesh forge", FORGE), ("mesh merge", MERGES[format]))
    layer = new_layer(tmp_path / "layer")
    do(job("mesh forge", layer, **FORGE))
    assert tree_of(layer) == forged
    killed = kill_and_resume("mesh merge", layer, MERGES[format], KILLS, len(wanted.keys() - forged.keys()))
    same = not differing(tree_of(layer), wanted)
    figures(f"meshes: merge to {format}, {killed} times killed: {'identical' if same else 'DIFFERENT'}")
    assert killed >= 1
    assert same, differing(tree_of(layer), wanted)
