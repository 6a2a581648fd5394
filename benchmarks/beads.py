"""Packs of beads: how many are found, whole and in blocks, and how fast the steps are beside scikit-image written plainly.

The packs are drawn with the truth, at grey values, noise and rings of the tomographs of Ushizima and others (173 and 90,
sd 15 to 17, rings 12). F is the harmonic mean of the shares of found and of true beads that share more than half of what
either has with one of the other; slivers at the sides of the volume count, too. Speed is in megavoxels a CPU second, the
best of three.

    python benchmarks/beads.py quality
    python benchmarks/beads.py speed
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.predict.particles import predict
from teravox.kernels.segmentation.supervoxels.h_maxima_watershed import supervoxels
from teravox.kernels.synthetic.beads import draw_beads
from teravox.pipeline.box import Box
from teravox.pipeline.job import AnyJob
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.tasks.image.contrast.histogram import Histogram
from teravox.tasks.segment import Segment
from teravox.tasks.stitch.match import Match
from teravox.tasks.stitch.relabel import Relabel
from teravox.tasks.stitch.resolve import Resolve

Labels = NDArray[Any]  # of whole numbers
SIZE = (192, 192, 160)
PACKS = [(9.0, 15.0), (9.0, 17.0), (16.0, 15.0), (16.0, 17.0)]  # radius and noise
BLOCKS = [(64, 64, 64), (192, 64, 32), (96, 96, 160)]
CUBE = 128  # the side of what is timed


class Score(NamedTuple):
    number: int
    sizeable: int  # beads of which the volume has more than a tenth
    f: float


def score(found: Labels, truth: Labels, radius: float) -> Score:
    (ones, first), (others, second) = (np.unique(labels, return_inverse=True) for labels in (found, truth))
    keys = first.ravel() * len(others) + second.ravel()
    shared = np.bincount(keys, minlength=len(ones) * len(others)).reshape(len(ones), len(others))
    either = shared.sum(1, keepdims=True) + shared.sum(0) - shared
    matched = np.count_nonzero((2 * shared > either)[1:, 1:])
    sizeable = (shared.sum(1)[1:] > 0.1 * 4 / 3 * np.pi * radius**3).sum()
    return Score(len(ones) - 1, int(sizeable), 2 * matched / (len(ones) + len(others) - 2))


def do(job: AnyJob) -> None:
    job = job.settled()
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    job.finish()


def make_image(folder: Path, image: NDArray[np.uint8]) -> str:
    scale = new_scale(
        bounds=Box((0, 0, 0), SIZE), resolution=(1000, 1000, 1000), chunk=(32, 32, 32), encoding=encoding_words("raw")
    )
    layer = create_layer(str(folder), new_info(type="image", data_type="uint8", channels=1, scales=[scale]))
    layer.write(layer.bounds(0), 0, image[..., None])
    do(Histogram(layer.url, coverage=1.0))
    return layer.url


def in_blocks(source: str, dest: str, shape: tuple[int, int, int], halo: int) -> Labels:
    steps = {
        "predict": {"name": "particles"},
        "supervoxels": {"name": "h-maxima-watershed"},
        "agglomerate": [{"name": "none"}],
    }
    do(msgspec.convert({"source": source, "dest": dest, "shape": shape, "halo": [halo] * 3, **steps}, Segment))
    do(Match(dest))
    first = Resolve(dest, min_overlap=0)
    for number in range(1, first.steps + 1):
        do(Resolve(dest, step=number, min_overlap=0))
    do(Relabel(dest, min_overlap=0))
    layer = Layer.open(dest, fresh=True)
    return layer.read(layer.bounds(0), 0)[..., 0]


def by_scikit_image(gray: NDArray[np.uint8], opening: int = 0) -> Labels:
    """Median, Otsu, opening, h-maxima of the distances, watershed, as its manual shows them; of z, y and x."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu
    from skimage.morphology import ball, h_maxima
    from skimage.segmentation import watershed

    inside = ndimage.median_filter(gray, 3) > threshold_otsu(gray)
    if opening:
        inside = ndimage.binary_opening(inside, ball(opening))
    depth = ndimage.distance_transform_edt(inside)
    seeds, _ = ndimage.label(h_maxima(depth, 0.5), np.ones((3, 3, 3)))
    return np.asarray(watershed(-depth, seeds, mask=inside))


def by_teravox(gray: NDArray[np.uint8], threshold: float, **more: Any) -> Labels:
    return supervoxels(predict(gray, None, threshold=threshold, **more), None)


def show_quality() -> None:
    print(
        "| radius | noise | labels of | beads | of these more than a tenth | F |\n| --- | --- | --- | --- | --- | --- |"
    )
    for radius, noise in PACKS:
        drawn = draw_beads(SIZE, (0, 0, 0), SIZE, 1, radius=radius, noise=noise)

        def show(
            name: str, found: Labels, radius: float = radius, noise: float = noise, truth: Labels = drawn.truth
        ) -> None:
            one = score(found, truth, radius)
            print(f"| {radius:g} | {noise:g} | {name} | {one.number} | {one.sizeable} | {one.f:.3f} |", flush=True)

        show("truth", drawn.truth)
        show("scikit-image", by_scikit_image(np.ascontiguousarray(drawn.image.T)).T)
        with tempfile.TemporaryDirectory() as folder:
            source = make_image(Path(folder) / "ct", drawn.image)
            whole = in_blocks(source, f"{folder}/whole", SIZE, 0)
            show("teravox, whole", whole)
            for shape in BLOCKS:
                found = in_blocks(source, f"{folder}/{shape[0]}-{shape[2]}", shape, int(2.25 * radius))
                pairs = np.unique(np.stack([whole.ravel(), found.ravel()]), axis=1)
                same = pairs.shape[1] == len(np.unique(whole)) == len(np.unique(found))
                show(f"blocks of {shape}{', the same voxels' if same else ''}", found)


def best(function: Callable[[], object]) -> float:
    """CPU seconds."""
    function()
    times = []
    for _ in range(3):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return min(times)


def show_speed() -> None:
    from scipy import ndimage
    from skimage.morphology import ball, h_maxima
    from skimage.segmentation import watershed

    size = (CUBE, CUBE, CUBE)
    gray = np.ascontiguousarray(draw_beads(size, (0, 0, 0), size, 1, radius=12).image.T)
    boundary = predict(gray, None, threshold=131.5)
    inside = boundary[..., 0] == 0

    def split() -> object:
        depth = ndimage.distance_transform_edt(inside)
        seeds, _ = ndimage.label(h_maxima(depth, 0.5), np.ones((3, 3, 3)))
        return watershed(-depth, seeds, mask=inside)

    rows: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        (
            "median of 27 and threshold",
            lambda: predict(gray, None, threshold=131.5),
            lambda: ndimage.median_filter(gray, 3) > 131,
        ),
        (
            "the same, opened by a ball of radius 2",
            lambda: predict(gray, None, threshold=131.5, opening=2.0),
            lambda: ndimage.binary_opening(ndimage.median_filter(gray, 3) > 131, ball(2)),
        ),
        ("distances, h-maxima, watershed", lambda: supervoxels(boundary, None), split),
        ("all of it", lambda: by_teravox(gray, 131.5, opening=2.0), lambda: by_scikit_image(gray, 2)),
    ]
    print("| step | teravox | SciPy and scikit-image | times |\n| --- | --- | --- | --- |")
    for name, ours, theirs in rows:
        fast, slow = (CUBE**3 / 1e6 / best(one) for one in (ours, theirs))
        print(f"| {name} | {fast:.1f} | {slow:.2f} | {fast / slow:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["quality", "speed"])
    {"quality": show_quality, "speed": show_speed}[parser.parse_args().what]()


if __name__ == "__main__":
    main()
