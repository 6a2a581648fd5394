"""How good finished meshes are: all of several layers against the unsimplified surfaces of the whole volume.

The layers are given as NAME=FOLDER; each has the meshes of the same segmentation, which is read from LAYER.
It needs what the tests need: CloudVolume, trimesh and SciPy.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from meshes.distance import Floats
from meshes.quality import Facts, Mesh, area, deviations, facts_of, weld, whole_meshes
from meshes.read_back import read_meshes, read_voxels

SEAM = 0.02  # nanometers: less than one step of a lattice of 16 bits, more than what floats lose far from the origin
LARGE = 1000  # voxels, from which the volume of a mesh is compared
DENSITY = 2e-4  # samples a square nanometer: about one for 20 faces of voxels of 16 x 16 x 40
Table = dict[str, float]


class Measured(NamedTuple):
    """One label on one side."""

    voxels: int
    whole: Facts
    made: Facts
    distances: Floats


def measure(voxels: int, whole: Mesh, facts: Facts, made: Mesh) -> Measured:
    samples = int(np.clip(area(whole) * DENSITY, 200, 200_000))
    return Measured(voxels, facts, facts_of(made), deviations(whole, made, samples))


def summary(labels: list[Measured], missing: int, max_error: float) -> Table:
    """The figures of one side."""
    every = np.concatenate([label.distances for label in labels])
    p99 = [float(np.percentile(label.distances, 99)) for label in labels]
    sound = [label for label in labels if label.whole.is_volume]
    large = [label for label in labels if label.voxels > LARGE]
    return {
        "labels": len(labels),
        "labels without a mesh": missing,
        "faces of the whole surfaces": sum(label.whole.faces for label in labels),
        "faces at the finest level": sum(label.made.faces for label in labels),
        "p50 distance, nm": float(np.median(every)),
        "p99 distance, nm": float(np.percentile(every, 99)),
        "largest distance, nm": float(every.max()),
        f"labels with p99 above {max_error:g} nm": sum(found > max_error for found in p99),
        "p99 of the worst label, nm": max(p99),
        "whole surfaces that are volumes": len(sound),
        "of which the meshes are volumes": sum(label.made.is_volume for label in sound),
        "other Euler number": sum(label.made.euler != label.whole.euler for label in labels),
        "labels with an open edge": sum(bool(label.made.open_edges) for label in sound),
        f"labels over {LARGE:,} voxels": len(large),
        "of which the volume is off by over 1 %": sum(_volume_error(label) > 0.01 for label in large),
        "largest error of a volume, %": 100 * max(map(_volume_error, large), default=0.0),
    }


def _volume_error(label: Measured) -> float:
    return abs(label.made.volume / label.whole.volume - 1)


def written(layer: Path) -> Table:
    files = [file for file in layer.rglob("*.shard") if "mesh" in file.parent.name]
    return {"files": len(files), "MB": sum(file.stat().st_size for file in files) / 1e6}


def compare(source: Path, layers: dict[str, Path], max_error: float) -> dict[str, Table]:
    voxels, resolution, offset = read_voxels(source)
    sizes = dict(zip(*(n.tolist() for n in np.unique(voxels, return_counts=True)), strict=True))
    labels = sorted(set(sizes) - {0})
    read = {name: read_meshes(layer, labels) for name, layer in layers.items()}
    measured: dict[str, list[Measured]] = {name: [] for name in layers}
    missing = dict.fromkeys(layers, 0)
    for label, whole in whole_meshes(voxels, resolution, offset):
        facts = facts_of(whole)
        for name, meshes in read.items():
            if label in meshes:
                made = weld(meshes.pop(label), SEAM)
                measured[name].append(measure(sizes[label], whole, facts, made))
            else:
                missing[name] += 1
    return {name: written(layers[name]) | summary(found, missing[name], max_error) for name, found in measured.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layer", type=Path, help="the segmentation")
    parser.add_argument("meshed", nargs="+", metavar="NAME=FOLDER", help="a layer that has meshes of it")
    parser.add_argument("--max-error", type=float, default=40.0, help="nanometers")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    layers = {name: Path(folder) for name, _, folder in (given.partition("=") for given in options.meshed)}
    tables = compare(options.layer, layers, options.max_error)
    if options.json:
        print(json.dumps(tables))
        return
    names = list(tables)
    print(f"\n| {'meshes':40} | " + " | ".join(f"{name:>14}" for name in names) + " |")
    print(f"| {'-' * 40} | " + " | ".join("-" * 13 + ":" for _ in names) + " |")
    for row in tables[names[0]]:
        print(f"| {row:40} | " + " | ".join(f"{tables[name][row]:>14,.6g}" for name in names) + " |")


if __name__ == "__main__":
    main()
