"""How well and how fast fibres are found: as a whole, in blocks, and by scikit-image; with the truth of a synthetic bundle.

Figures: fibres, and how many of them lie on exactly one true fibre and have no other on it; of the centres in all slices the
F1 within 4 pixels and the Dice of discs of 10; the Dice of voxels; megavoxels a CPU second on one thread. What scikit-image
does with all voxels in memory, teravox does block by block, from a layer to layers. With --polymer the volume is the real
one of TERAVOX_DATA, which has no truth.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.evaluation.points import count_discs, match
from teravox.kernels.segmentation.predict.tubeness import predict
from teravox.kernels.slice_parts import SliceParts
from teravox.kernels.synthetic.fibres import draw_fibres
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.evaluation.figures import foreground_of
from teravox.pipeline.job import AnyJob
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.pipeline.segmentation.steps import Step
from teravox.tasks.image.ccl.faces import Faces
from teravox.tasks.image.ccl.links import Links
from teravox.tasks.image.ccl.relabel import Relabel
from teravox.tasks.image.ccl.resolve import Resolve
from teravox.tasks.segment import Segment

Image = NDArray[np.uint8]  # x, y and z
Labels = NDArray[np.uint32]
Find = Callable[[Image, Path], Labels]

WITHIN, DIAMETER = 4.0, 10.0
CHUNK = 32


class Setting(NamedTuple):
    """What is looked for in a volume; the scales are blurs in voxels."""

    scales: tuple[float, ...]
    low: float
    high: float
    weak: int = 20  # of 255
    strong: int = 150
    contrast: float = 0.3

    @property
    def parameters(self) -> dict[str, Any]:  # Any: as a step takes them
        return {
            "sigma": self.scales[0],
            "scales": list(self.scales[1:]),
            "low": self.low,
            "high": self.high,
            "contrast": self.contrast,
            "objects": False,
        }


BUNDLE = Setting((3.0, 2.0, 4.5), 100, 160)
POLYMER = Setting((2.0, 1.3, 3.0), 60, 180, weak=26, strong=102)


class Score(NamedTuple):
    """What was found."""

    way: str
    fibres: int
    right: int | None
    centre_f1: float | None
    disc_dice: float | None
    voxel_dice: float | None
    megavoxels_a_second: float


def do(job: AnyJob) -> None:
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    job.finish()


def in_blocks(setting: Setting, side: int | None) -> Find:
    """teravox, in blocks of so many voxels along each axis, or of the whole."""

    def find(image: Image, folder: Path) -> Labels:
        bounds = Box((0, 0, 0), _vec(image.shape))
        scale = new_scale(
            bounds=bounds, resolution=(1000, 1000, 1000), chunk=(CHUNK, CHUNK, CHUNK), encoding=encoding_words("raw")
        )
        info = new_info(type="image", data_type="uint8", channels=1, scales=[scale])
        create_layer(str(folder / "image"), info).write(bounds, 0, image[..., np.newaxis])
        shape = _vec([-(-n // CHUNK) * CHUNK for n in image.shape]) if side is None else (side, side, side)
        tubes, bodies = str(folder / "tubes"), str(folder / "bodies")
        do(
            Segment(
                str(folder / "image"),
                tubes,
                predict=Step("tubeness", setting.parameters),
                output="probabilities",
                shape=shape,
                halo=(4, 4, 4),
            )
        )
        options: dict[str, Any] = {
            "threshold_gte": setting.weak,
            "strong_gte": setting.strong,
            "connectivity": 26,
            "shape": shape,
            "dust": 20,
        }
        do(Faces(tubes, bodies, **options))
        do(Links(tubes, bodies, **options))
        for step in range(1, Resolve(tubes, bodies, **options).steps + 1):
            do(Resolve(tubes, bodies, step=step, **options))
        do(Relabel(tubes, bodies, **options))
        found: Labels = Layer.open(bodies, fresh=True).read(bounds, 0)[..., 0]
        return found

    return find


def by_scikit_image(setting: Setting) -> Find:
    """The same recipe: Sato's filter at several scales, hysteresis, components.

    Theirs answers between fibres, too, so the weak threshold is the one of several that is best for it.
    """

    def find(image: Image, folder: Path) -> Labels:  # noqa: ARG001 - all in memory
        from skimage.filters import apply_hysteresis_threshold, sato
        from skimage.measure import label
        from skimage.morphology import remove_small_objects

        grey = (np.ascontiguousarray(image.T).astype(np.float32) - setting.low) / (setting.high - setting.low)
        tubes = sato(grey, sigmas=setting.scales, black_ridges=False) / setting.contrast
        kept = apply_hysteresis_threshold(tubes, 3 * setting.weak / 255, setting.strong / 255)
        found: Labels = remove_small_objects(label(kept, connectivity=3), max_size=100).astype(np.uint32).T
        return found

    return find


def as_in_the_paper(setting: Setting) -> Find:
    """Sato's filter at one scale, Otsu's threshold of the whole, components by faces."""

    def find(image: Image, folder: Path) -> Labels:  # noqa: ARG001 - all in memory
        from skimage.filters import threshold_otsu
        from skimage.measure import label

        one = setting._replace(scales=(5.25,), contrast=1.0).parameters
        tubes = predict(np.ascontiguousarray(image.T), None, **one)[..., 0]
        found: Labels = label(tubes > threshold_otsu(tubes), connectivity=1).astype(np.uint32).T
        return found

    return find


def centres(labels: Labels) -> list[NDArray[np.float64]]:
    """Row and column of the parts of each slice across z."""
    turned = labels.transpose(2, 1, 0)
    parts = SliceParts(len(turned), turned.shape[2], corners=False, room=1 << 24)
    parts.add(turned, 0, 0)
    found = parts.found(by_label=False)
    points = np.stack([found.rows, found.columns], axis=1)
    return [points[found.slices == z] for z in range(len(turned))]


def judge(way: str, found: Labels, truth: Labels | None, seconds: float) -> Score:
    fibres = len(np.unique(found)) - 1
    speed = found.size / 1e6 / seconds
    if truth is None:
        return Score(way, fibres, None, None, None, None, speed)
    both = (found > 0) & (truth > 0)
    pairs = np.unique(np.stack([found[both], truth[both]]), axis=1)
    alone = [np.bincount(side)[side] == 1 for side in pairs]
    matched, total, pixels = 0, 0, np.zeros(4, np.int64)
    for ours, theirs in zip(centres(found), centres(truth), strict=True):
        matched += len(match(theirs, ours, WITHIN).distances)
        total += len(ours) + len(theirs)
        size = (found.shape[1], found.shape[0])
        counts = count_discs(theirs, ours, DIAMETER / 2, (1.0, 1.0), size)
        pixels += [*counts, size[0] * size[1] - sum(counts)]
    discs = foreground_of(*pixels.tolist())
    dice = 2 * both.sum() / ((found > 0).sum() + (truth > 0).sum())
    return Score(way, fibres, int((alone[0] & alone[1]).sum()), 2 * matched / total, discs.dice, float(dice), speed)


def measure(way: str, find: Find, image: Image, truth: Labels | None) -> Score:
    with tempfile.TemporaryDirectory() as folder:
        small = np.asfortranarray(image[:48, :48, :32])
        find(small, Path(folder, "small"))  # which compiles
        before = time.process_time()
        found = find(image, Path(folder, "large"))
        seconds = time.process_time() - before
    return judge(way, found, truth, seconds)


def _vec(numbers: Any) -> Vec:  # Any: of three numbers, whatever holds them
    x, y, z = (int(n) for n in numbers)
    return (x, y, z)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--size", default="256,256,64", help="of the bundle, in x,y,z")
    parser.add_argument("--rings", type=float, default=6.0)
    parser.add_argument("--noise", type=float, default=8.0)
    parser.add_argument("--polymer", action="store_true", help="the real volume of TERAVOX_DATA in place of a bundle")
    options = parser.parse_args()
    setting, truth = BUNDLE, None
    if options.polymer:
        setting = POLYMER
        image = np.asfortranarray(np.load(Path(os.environ["TERAVOX_DATA"]) / "polymer_ct/polymer3d_128.npy").T)
    else:
        size = _vec(options.size.split(","))
        drawn = draw_fibres(size, (0, 0, 0), size, 1, rings=options.rings, noise=options.noise)
        image, truth = drawn.image, drawn.truth
    ways: dict[str, Find] = {
        "teravox, whole": in_blocks(setting, None),
        "teravox, blocks of 64": in_blocks(setting, 64),
        "scikit-image, the same recipe": by_scikit_image(setting),
        "one scale and Otsu, as in the paper": as_in_the_paper(setting),
    }
    scores = [measure(way, find, image, truth) for way, find in ways.items()]
    if options.json:
        print(json.dumps([score._asdict() for score in scores], indent=1))
        return
    if truth is not None:
        print(
            f"{len(np.unique(truth)) - 1} fibres, rings of {options.rings:g} and noise of {options.noise:g} grey values"
        )
    print(f"{'':36} fibres  right  F1 centres  Dice discs  Dice voxels   MVx/s")
    for score in scores:
        figures = ["-" if one is None else f"{one:.4f}" for one in (score.centre_f1, score.disc_dice, score.voxel_dice)]
        right = "-" if score.right is None else score.right
        print(
            f"{score.way:36} {score.fibres:6} {right:>6} {figures[0]:>11} {figures[1]:>11} {figures[2]:>12} "
            f"{score.megavoxels_a_second:7.2f}"
        )


if __name__ == "__main__":
    main()
