"""How good segmentations are that were learnt from a few labels: strokes on some slices of one half, figures of the other.

It runs `learn train`, `learn predict`, `segment` and `stitch` with the step files of examples/ on volumes with a dense
truth that are read from the folder that TERAVOX_DATA or --data names. It needs what the tests need.
--thresholds tries others than the step files have, on the whole volume: how those were chosen is said in docs/learn.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from layers.make import make_layer

from benchmarks.segmentation_quality import EXAMPLES, VOLUMES, Labels, Row, Vec, Volume, run_all, score, stitch
from teravox.kernels.learning.classes import make_classes
from teravox.kernels.synthetic.strokes import paint_strokes
from teravox.pipeline.job import AnyJob
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import create_labels
from teravox.pipeline.segmentation.steps import read_steps_file
from teravox.tasks.segment import Segment
from teravox.tasks.stitch.match import Match

SEED = 0
MOST_LABELLED = 0.005  # of the voxels of the half
Classes = NDArray[np.uint8]
Place = tuple[slice, slice, slice]


class Learning(NamedTuple):
    """How a volume is labelled and learnt."""

    names: tuple[str, str]  # of the classes; the first one is what is looked for
    axis: int  # along which the first half has the strokes
    every: int  # slices from one with strokes to the next
    strokes: int  # on each of them
    length: int  # voxels of a stroke
    blocks: tuple[Vec, Vec]  # size and halo
    options: tuple[str, ...] = ()  # of `learn train`


LEARNING = {
    "fib25": Learning(("membrane", "inside"), 0, 10, 40, 35, ((128, 128, 64), (20, 20, 20))),
    "isbi2012": Learning(("membrane", "inside"), 2, 2, 60, 40, ((128, 128, 20), (32, 32, 0)), ("--flat",)),
    "plantseg": Learning(("nucleus", "around"), 2, 8, 20, 20, ((64, 64, 64), (16, 16, 16))),
}


def classes_of(volume: Volume) -> Classes:
    """Of each voxel, 1 or 2. Membranes are the voxels on either side of a face between bodies, and those of no body."""
    if volume.objects:
        return np.where(volume.truth != 0, 1, 2).astype(np.uint8)
    membrane = volume.truth == 0
    for axis in range(2 if volume.in_slices else 3):
        one, other = np.moveaxis(volume.truth, axis, 0), np.moveaxis(membrane, axis, 0)
        differs = one[1:] != one[:-1]
        other[1:] |= differs
        other[:-1] |= differs
    return np.where(membrane, 1, 2).astype(np.uint8)


def halves(shape: tuple[int, ...], axis: int) -> tuple[Place, Place]:
    """The half that is labelled, and the other one."""
    both = [[slice(None)] * 3 for _ in range(2)]
    both[0][axis], both[1][axis] = slice(0, shape[axis] // 2), slice(shape[axis] // 2, None)
    first, second = ((x, y, z) for x, y, z in both)
    return first, second


def paint(classes: Classes, half: Place, how: Learning) -> Classes:
    """Strokes within one half; 0 where there are none."""
    random = np.random.default_rng(SEED)
    labels = np.zeros_like(classes)
    seen, painted = classes[half], labels[half]
    for z in range(how.every // 2, seen.shape[2], how.every):
        painted[:, :, z] = paint_strokes(seen[:, :, z].T - 1, how.strokes, how.length, random).T
    share = np.count_nonzero(painted) / painted.size
    assert share <= MOST_LABELLED, f"{share:.2%} of the half are labelled"
    return labels


def command(*words: str | Path) -> float:
    """Run a command of teravox; the CPU seconds that it took."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "teravox", *map(str, words), "--quiet"], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure(name: str, volume: Volume, folder: Path, thresholds: list[float]) -> Iterator[Row]:
    """The figures of the model, then of the bodies that come of it; of the labelled half, the other, and both."""
    how = LEARNING[name]
    classes = classes_of(volume)
    labelled, unseen = halves(classes.shape, how.axis)
    em = make_layer(folder / "em", volume.gray[..., np.newaxis], chunk=volume.chunk, resolution=volume.resolution)
    layer = create_labels(Layer.open(em), 0, str(folder / "labels"), make_classes(how.names)).layer
    strokes = paint(classes, labelled, how)
    layer.write(layer.bounds(0), 0, np.asfortranarray(strokes[..., np.newaxis]))
    model = folder / f"{name}.model"  # as the step file says
    train = command("learn", "train", em, layer.url, "--output", model, *how.options)
    probabilities, shown = folder / "probabilities", ("--output", "probabilities", "--data-type", "float32")
    predict = command("learn", "predict", em, probabilities, "--model", model, *shown)
    found = Layer.open(str(probabilities))
    first = found.read(found.bounds(0), 0)[..., 0]
    yield {
        "volume": name,
        "labelled voxels": int(np.count_nonzero(strokes)),
        "of the half": float(np.count_nonzero(strokes) / strokes[labelled].size),
        "AUC labelled": auc(first[labelled], classes[labelled] == 1),
        "AUC unseen": auc(first[unseen], classes[unseen] == 1),
        "train CPU s": train,
        "predict CPU s": predict,
    }
    whole = tuple(-(-size // chunk) * chunk for size, chunk in zip(classes.shape, volume.chunk, strict=True))
    runs: list[tuple[str, Vec, Vec]] = [("whole", (whole[0], whole[1], whole[2]), (1, 1, 1)), ("blocks", *how.blocks)]
    tried: list[float | None] = [*thresholds] or [None]
    for kind, shape, halo in runs if not thresholds else runs[:1]:
        for threshold in tried:
            labels = segment(name, em, folder / f"{kind}-{threshold}", shape, halo, threshold, volume.min_size)
            parts = {"labelled": labelled, "unseen": unseen, "all": (slice(None), slice(None), slice(None))}
            for part, place in parts.items():
                cut = volume._replace(truth=volume.truth[place])
                row = {"volume": name, "run": kind, "half": part, **score(labels[place], cut)}
                yield row | ({} if threshold is None else {"threshold": threshold})


def auc(values: NDArray[Any], is_so: NDArray[np.bool_]) -> float:  # Any: of either float
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # it has no types

    return float(roc_auc_score(is_so.ravel(), values.ravel()))


def segment(name: str, em: str, dest: Path, shape: Vec, halo: Vec, threshold: float | None, min_size: int) -> Labels:
    """The bodies of the step file, of blocks that were joined by the medium rule; with another last threshold if one is given."""
    steps = read_steps_file(str(shutil.copy(EXAMPLES / f"segment_{name}_learnt.toml", dest.parent)))  # beside its model
    more: dict[str, Any] = {}  # of steps
    if threshold is not None:
        (last,) = steps.agglomerate or ()
        which = "supervoxels" if last.name == "none" else "agglomerate"
        changed = steps.supervoxels if which == "supervoxels" else last
        assert changed is not None
        changed = type(changed)(changed.name, changed.parameters | {"threshold": threshold})
        more = {which: changed if which == "supervoxels" else (changed,)}
    job: AnyJob = Segment(source=em, dest=str(dest), shape=shape, halo=halo, steps=steps, **more)
    run_all(job.settled())
    run_all(Match(layer=str(dest)))
    return stitch(str(dest), "medium", f"{dest}-stitched", min_size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("volumes", nargs="*", help=f"of {', '.join(LEARNING)}; all without any")
    parser.add_argument("--data", default=os.environ.get("TERAVOX_DATA"), help="folder with the volumes")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[], help="of the last step that has one")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each row")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder with the volumes: --data or TERAVOX_DATA")
    for name in options.volumes or LEARNING:
        with tempfile.TemporaryDirectory() as folder:
            heading = ""
            for row in measure(name, VOLUMES[name](Path(options.data)), Path(folder), options.thresholds):
                if options.json:
                    print(json.dumps(row), flush=True)
                    continue
                if heading != (heading := "".join(f"{word:>16}" for word in row)):
                    print(heading)
                cells = (f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row.values())
                print("".join(f"{cell:>16}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
