"""Layers with meshes, skeletons, fragments and spatial indices in several shards each, and ways to damage them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from meshes.forging import layer_of
from meshes.neurites import Labels, neurites
from verification.recorded import do_recorded
from verification.repairing import repair

from teravox.pipeline.meshes.merging import plan as mesh_plan
from teravox.pipeline.skeletons.merging import memory as skeleton_memory
from teravox.pipeline.verification.rounds import Repaired

PARTS = ("info", "ledger", "meshes", "skeletons", "fragments", "spatial", "files")
SIZE = (96, 96, 96)
PIECE = (48, 48, 48)
CELL = (24, 24, 24)


def volume() -> Labels:
    return neurites(SIZE, 3, count=12)


@contextmanager
def small_parts() -> Iterator[None]:
    """Lets merges have several parts though there is little to merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mesh_plan, "SIZE", mesh_plan.SIZE._replace(least=1500, a_request=1))
        patch.setattr(skeleton_memory, "SIZE", skeleton_memory.SIZE._replace(least=150, a_request=1))
        yield


def make_meshes(folder: Path, format: str = "sharded", **options: Any) -> str:  # Any: of the forge
    """A layer whose meshes were forged, merged and indexed."""
    path = layer_of(folder, volume(), offset=(5, -7, 11))
    do_recorded("mesh forge", layer=path, shape=PIECE, cell=CELL, **options)
    with small_parts():
        do_recorded("mesh merge", layer=path, format=format, min_chunk_size=CELL)
    do_recorded("mesh index create", layer=path)
    return path


def make_skeletons(folder: Path, format: str = "sharded", **options: Any) -> str:  # Any: of the merge
    """A layer whose skeletons were forged, merged and indexed."""
    path = layer_of(folder, volume(), offset=(5, -7, 11))
    do_recorded("skeleton forge", layer=path, shape=PIECE)
    with small_parts():
        do_recorded("skeleton merge", layer=path, format=format, **options)
    do_recorded("skeleton index create", layer=path)
    return path


def mend(layer: Path) -> Repaired:
    """Verify all and repair it, with merges that have as many parts as before."""
    with small_parts():
        return repair(str(layer), sample=4, checksums=True)


def forget_ledgers(layer: Path) -> None:
    """Make it a layer that somebody else might have made."""
    for ledger in sorted(layer.rglob("ledger")):
        shutil.rmtree(ledger)


def edit_info(file: Path, **words: Any) -> None:  # Any: JSON
    file.write_text(json.dumps(json.loads(file.read_text()) | words))
