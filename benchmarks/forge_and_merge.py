"""Measures the two steps that make meshes or skeletons, each by itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.commands import run_command
from benchmarks.pairs import Figures


class Side(NamedTuple):
    """One program, and the words that forge and merge the objects of a layer."""

    name: str
    program: str
    forge: Callable[[Path, int], list[str]]
    merge: Callable[[Path], list[str]]


def measure_forge(side: Side, source: Path, shape: int, keep: Path) -> Figures:
    """Forge a copy of the layer, and keep it for merges in place of an older one."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        layer = Path(folder, "layer")
        shutil.copytree(source, layer)
        figures = _measure(f"forge {shape}", [side.program, *side.forge(layer, shape)], layer, "*.frags")
        shutil.rmtree(keep, ignore_errors=True)
        layer.rename(keep)
    return figures


def measure_merge(side: Side, forged: Path, shape: int, keep: Path) -> Figures:
    """Merge a copy of what was forged, and keep the result in place of an older one."""
    shutil.rmtree(keep, ignore_errors=True)
    shutil.copytree(forged, keep)
    return _measure(f"merge {shape}", [side.program, *side.merge(keep)], keep, "*.shard")


def _measure(name: str, words: list[str], layer: Path, files: str) -> Figures:
    cost = run_command(words)
    sizes = [file.stat().st_size for file in layer.rglob(files)]
    return {
        f"{name}: s": cost.seconds,
        f"{name}: CPU s": cost.cpu_seconds,
        f"{name}: peak MB": cost.peak_bytes / 1e6,
        f"{name}: MB written": sum(sizes) / 1e6,
        f"{name}: files": len(sizes),
    }


def forge_once(side: Side, source: Path, shape: int, place: Path) -> Path:
    """What forge leaves, made only where it is not there yet."""
    layer = forged_layer(side, source, shape, place)
    if not layer.exists():
        measure_forge(side, source, shape, layer)
    return layer


def forged_layer(side: Side, source: Path, shape: int, place: Path) -> Path:
    return place / f"{source.parent.name}-{side.name}-forged-{shape}"
