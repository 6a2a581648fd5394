"""How good finished skeletons are: those of several layers, label by label, against kimimaro's of the whole volume.

The layers are given as NAME=FOLDER; each has the skeletons of the same segmentation, which is read from LAYER.
It needs what the tests need: CloudVolume, kimimaro and SciPy.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from meshes.read_back import read_voxels
from skeletons.quality import Facts, Floats, Resolution, Skeleton, Vec, drop_short, facts_of, whole_skeletons
from skeletons.read_back import read_skeletons
from skeletons.tissue import Parts, Tissue

DUST = 1000  # voxels of a connected part, from which it must have a skeleton
LEAST_CABLE = 1000.0  # nanometers, below which a merge drops a part
AROUND = 100.0  # nanometers, in which the middle of a label is looked for, and the same branch of another skeleton
WHOLE = "kimimaro, whole"
Table = dict[str, float]
NOTHING = Skeleton(np.zeros((0, 3)), np.zeros((0, 2), np.int64), np.zeros(0))


class Measured(NamedTuple):
    """One label on one side."""

    label: int
    voxels: int
    whole: Facts
    made: Facts
    parts: Parts
    outside: int  # vertices
    from_middle: float  # of a voxel, in voxels
    centred: Floats
    ends: int  # of the whole that this has too
    far: Floats  # from each vertex to the nearest one of the whole, nanometers
    missed: Floats  # from each vertex of the whole to the nearest one here


def measure(tissue: Tissue, label: int, whole: Skeleton, made: Skeleton) -> Measured:
    return Measured(
        label=label,
        voxels=tissue.size_of(label),
        whole=facts_of(whole),
        made=facts_of(made),
        parts=tissue.parts_of(label, made, DUST),
        outside=int((~tissue.inside(label, made)).sum()),
        from_middle=tissue.from_middle(made),
        centred=tissue.centredness(label, made, AROUND),
        ends=_same_ends(whole, made),
        far=_distances(made.vertices, whole.vertices),
        missed=_distances(whole.vertices, made.vertices),
    )


def _same_ends(whole: Skeleton, made: Skeleton) -> int:
    near = _distances(_ends(whole), _ends(made))
    return int((near <= AROUND).sum())


def _ends(skeleton: Skeleton) -> Floats:
    arms = np.bincount(skeleton.edges.ravel(), minlength=len(skeleton.vertices))
    found: Floats = skeleton.vertices[arms == 1]
    return found


def _distances(places: Floats, others: Floats) -> Floats:
    from scipy.spatial import cKDTree

    if not len(places) or not len(others):
        return np.full(len(places), np.inf)
    found: Floats = cKDTree(others).query(places)[0]
    return found


def summary(labels: list[Measured]) -> Table:
    """The figures of one side."""
    centred = np.concatenate([label.centred for label in labels])
    far, missed = (np.concatenate(found) for found in zip(*((n.far, n.missed) for n in labels), strict=True))
    there = [label for label in labels if label.made.vertices]
    wanted = [label for label in labels if label.whole.vertices]
    cable = sum(label.made.cable for label in labels)
    terminals = sum(label.made.terminals for label in labels)
    branches = sum(label.made.branch_points for label in labels)
    whole = [
        sum(n) for n in zip(*((n.whole.cable, n.whole.terminals, n.whole.branch_points) for n in labels), strict=True)
    ]
    return {
        "labels with a skeleton": len(there),
        "labels without, that the whole has": sum(not label.made.vertices for label in wanted),
        "vertices": sum(label.made.vertices for label in labels),
        "cable, um": cable / 1000,
        "cable against the whole, %": 100 * (cable / whole[0] - 1),
        "labels with cable off by over 3 %": sum(abs(cable_error(label)) > 0.03 for label in wanted),
        "median error of cable, %": 100 * float(np.median([abs(cable_error(label)) for label in wanted])),
        "terminals": terminals,
        "terminals against the whole, %": 100 * (terminals / whole[1] - 1),
        "labels with terminals off by over 5 %": sum(abs(end_error(label)) > 0.05 for label in wanted),
        f"ends of the whole found in {AROUND:g} nm, %": 100 * sum(label.ends for label in labels) / whole[1],
        "branch points": branches,
        "branch points against the whole, %": 100 * (branches / max(whole[2], 1) - 1),
        f"parts over {DUST:,} voxels with one skeleton": sum(label.parts.whole for label in labels),
        "parts with a broken skeleton": sum(label.parts.broken for label in labels),
        "parts with no skeleton": sum(label.parts.bare for label in labels),
        "connected skeletons": sum(label.made.components for label in labels),
        "loops": sum(label.made.loops for label in labels),
        "vertices outside their label": sum(label.outside for label in labels),
        "vertices off the middle of a voxel, labels": sum(label.from_middle > 0.05 for label in labels),
        "centredness, mean": float(centred.mean()),
        "centredness, 10th percentile": float(np.percentile(centred, 10)),
        "centredness, 1st percentile": float(np.percentile(centred, 1)),
        f"vertices over {AROUND:g} nm from the whole's, %": 100 * float((far > AROUND).mean()),
        f"vertices of the whole over {AROUND:g} nm away, %": 100 * float((missed > AROUND).mean()),
    }


def cable_error(label: Measured) -> float:
    return label.made.cable / label.whole.cable - 1 if label.whole.cable else 0.0


def end_error(label: Measured) -> float:
    return label.made.terminals / label.whole.terminals - 1 if label.whole.terminals else 0.0


def badness(label: Measured) -> float:
    """What makes one label worse than another: nanometres of cable and ends that are too many or too few, and all faults."""
    ends = abs(label.made.terminals - label.whole.terminals)
    faults = label.parts.broken + label.made.loops + label.outside
    return abs(label.made.cable - label.whole.cable) + 500.0 * ends + 20_000.0 * faults


def whole_of(
    voxels: NDArray[Any], resolution: Resolution, offset: Vec, kept: Path | None, least_cable: float
) -> dict[int, Skeleton]:
    """Kimimaro's skeletons of the whole, without what a merge would drop; they are kept, for they take minutes."""
    if kept is not None and kept.exists():
        found = _load(kept)
    else:
        found = whole_skeletons(voxels, resolution, offset, dust=DUST)
        if kept is not None:
            _save(kept, found)
    return {label: drop_short(skeleton, least_cable) for label, skeleton in found.items()}


def _save(file: Path, skeletons: dict[int, Skeleton]) -> None:
    every = list(skeletons.values())
    np.savez_compressed(
        file,
        labels=np.array(list(skeletons), np.uint64),
        counts=np.array([[len(n.vertices), len(n.edges)] for n in every]),
        vertices=np.concatenate([n.vertices for n in every]),
        edges=np.concatenate([n.edges for n in every]),
        radius=np.concatenate([n.radius for n in every]),
    )


def _load(file: Path) -> dict[int, Skeleton]:
    with np.load(file) as arrays:
        cuts = np.cumsum(arrays["counts"], axis=0)[:-1]
        parts = (np.split(arrays[name], cuts[:, n]) for name, n in (("vertices", 0), ("edges", 1), ("radius", 0)))
        labels = arrays["labels"].tolist()
        return {label: Skeleton(*found) for label, *found in zip(labels, *parts, strict=True)}


def compare(source: Path, layers: dict[str, Path], kept: Path | None, least_cable: float) -> dict[str, list[Measured]]:
    voxels, resolution, offset = read_voxels(source)
    whole = whole_of(voxels, resolution, offset, kept, least_cable)
    tissue = Tissue(voxels, resolution, offset)
    read = {WHOLE: whole} | {name: read_skeletons(layer, tissue.labels) for name, layer in layers.items()}
    some = [label for label in tissue.labels if any(label in found for found in read.values())]
    return {
        name: [measure(tissue, label, whole.get(label, NOTHING), found.get(label, NOTHING)) for label in some]
        for name, found in read.items()
    }


def show_worst(name: str, labels: list[Measured], count: int) -> None:
    print(f"\nThe worst labels of {name}: made / whole\n")
    head = (
        "label",
        "voxels",
        "cable, um",
        "terminals",
        "branches",
        "parts",
        "broken",
        "loops",
        "outside",
        "extra, %",
        "missed, %",
    )
    print("| " + " | ".join(head) + " |\n|" + " ---: |" * len(head))
    for label in sorted(labels, key=badness, reverse=True)[:count]:
        made, whole = label.made, label.whole
        cells = (
            f"{label.label}",
            f"{label.voxels:,}",
            f"{made.cable / 1000:.1f} / {whole.cable / 1000:.1f}",
            f"{made.terminals} / {whole.terminals}",
            f"{made.branch_points} / {whole.branch_points}",
            f"{made.components} / {whole.components}",
            f"{label.parts.broken}",
            f"{made.loops}",
            f"{label.outside}",
            f"{100 * float((label.far > AROUND).mean()) if len(label.far) else 0:.1f}",
            f"{100 * float((label.missed > AROUND).mean()) if len(label.missed) else 0:.1f}",
        )
        print("| " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layer", type=Path, help="the segmentation")
    parser.add_argument("skeletonized", nargs="+", metavar="NAME=FOLDER", help="a layer that has skeletons of it")
    parser.add_argument("--whole", type=Path, help="a .npz file that keeps what kimimaro made of the whole")
    parser.add_argument(
        "--min-cable-length", type=float, default=LEAST_CABLE, help="nanometers; that of the merges, also for the whole"
    )
    parser.add_argument("--worst", type=int, default=0, help="show so many labels of each side, the worst first")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    layers = {name: Path(folder) for name, _, folder in (given.partition("=") for given in options.skeletonized)}
    measured = compare(options.layer, layers, options.whole, options.min_cable_length)
    tables = {name: summary(labels) for name, labels in measured.items()}
    if options.json:
        print(json.dumps(tables))
        return
    print(f"\n| {'skeletons':45} | " + " | ".join(f"{name:>15}" for name in tables) + " |")
    print(f"| {'-' * 45} | " + " | ".join("-" * 14 + ":" for _ in tables) + " |")
    for row in tables[WHOLE]:
        print(f"| {row:45} | " + " | ".join(f"{table[row]:>15,.6g}" for table in tables.values()) + " |")
    for name in layers if options.worst else ():
        show_worst(name, measured[name], options.worst)


if __name__ == "__main__":
    main()
