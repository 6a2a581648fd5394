"""Forge and merge of skeletons are killed again and again, and what they leave in the end is the same as without."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.killing import Options, Tree, differing, kill_and_resume, tree_of
from meshes.forging import do, job
from skeletons.making import layer_of, shapes

pytestmark = pytest.mark.faults

FORGE: Options = {"shape": (16, 16, 16), "dust_threshold": 10}
MERGE: Options = {"min_cable_length": 0}
SIZE = (48, 40, 40)
PIECES = 3 * 3 * 3
KILLS = 2


def new_layer(folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    layer_of(folder, shapes(SIZE, 4, count=30), (-5, 3, 9))
    return f"file://{folder}"  # as commands call it, so that their jobs have the same names


def undisturbed(folder: Path, *jobs: tuple[str, Options]) -> Tree:
    layer = new_layer(folder)
    for kind, options in jobs:
        do(job(kind, layer, **options))
    return tree_of(layer)


def test_a_killed_forge_that_is_resumed_leaves_the_same(tmp_path: Path, figures: Callable[[str], None]) -> None:
    wanted = undisturbed(tmp_path / "layer", ("skeleton forge", FORGE))
    layer = new_layer(tmp_path / "layer")
    killed = kill_and_resume("skeleton forge", layer, FORGE, KILLS, PIECES)
    same = not differing(tree_of(layer), wanted)
    figures(f"skeletons: forge of {PIECES} pieces, {killed} times killed: {'identical' if same else 'DIFFERENT'}")
    assert killed >= 1
    assert same, differing(tree_of(layer), wanted)


@pytest.mark.parametrize("format", ["legacy", "sharded"])
def test_a_killed_merge_that_is_resumed_leaves_the_same(
    tmp_path: Path, format: str, figures: Callable[[str], None]
) -> None:
    options = MERGE | {"format": format}
    forged = undisturbed(tmp_path / "layer", ("skeleton forge", FORGE))
    wanted = undisturbed(tmp_path / "layer", ("skeleton forge", FORGE), ("skeleton merge", options))
    layer = new_layer(tmp_path / "layer")
    do(job("skeleton forge", layer, **FORGE))
    assert tree_of(layer) == forged
    killed = kill_and_resume("skeleton merge", layer, options, KILLS, len(wanted.keys() - forged.keys()))
    same = not differing(tree_of(layer), wanted)
    figures(f"skeletons: merge to {format}, {killed} times killed: {'identical' if same else 'DIFFERENT'}")
    assert same, differing(tree_of(layer), wanted)
