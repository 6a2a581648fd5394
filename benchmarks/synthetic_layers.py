"""Writes a synthetic volume as two layers, of its image and of the truth, box by box and by several processes.

python -m benchmarks.synthetic_layers build/tissue --size 1024 -p 2
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from teravox.kernels.synthetic.beads import draw_beads
from teravox.kernels.synthetic.drawn import Drawn
from teravox.kernels.synthetic.fibres import draw_fibres
from teravox.kernels.synthetic.neurites import draw_neurites
from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale

DRAW: dict[str, Callable[..., Drawn]] = {"neurites": draw_neurites, "beads": draw_beads, "fibres": draw_fibres}
CHUNK = (64, 64, 64)
TASK = (256, 256, 256)  # a box that one process draws at a time
RESOLUTION = (10.0, 10.0, 10.0)


def write_synthetic(folder: Path, size: Vec, *, what: str = "neurites", seed: int = 0, processes: int = 1) -> float:
    """Write the layers `image` and `truth` in a folder; the seconds it took. What is written already is written again."""
    started = time.perf_counter()
    bounds = Box((0, 0, 0), size)
    for name, type, data_type, encoding in (
        ("image", "image", "uint8", "raw"),
        ("truth", "segmentation", "uint32", "compressed_segmentation"),
    ):
        scale = new_scale(bounds=bounds, resolution=RESOLUTION, chunk=CHUNK, encoding=encoding_words(encoding))
        info = new_info(type=type, data_type=data_type, channels=1, scales=[scale])
        create_layer(str(folder / name), info)
    write = partial(_write_box, str(folder), size, what, seed)
    boxes = Grid(bounds, TASK)
    if processes == 1:
        for box in boxes:
            write(box)
    else:
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            for _ in pool.map(write, boxes):
                pass
    return time.perf_counter() - started


def _write_box(folder: str, size: Vec, what: str, seed: int, box: Box) -> None:
    drawn = DRAW[what](size, box.min, box.max, seed)
    Layer.open(f"{folder}/image").write(box, 0, drawn.image[..., None], compress=None)  # noise is not to be compressed
    Layer.open(f"{folder}/truth").write(box, 0, drawn.truth[..., None])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the layers image and truth are written")
    parser.add_argument("--what", choices=sorted(DRAW), default="neurites")
    parser.add_argument("--size", type=int, nargs="+", default=[256], help="of the volume: one number, or x y z")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-p", "--parallel", type=int, default=1, help="processes")
    options = parser.parse_args()
    if len(options.size) not in (1, 3):
        parser.error("--size: expected one number, or three")
    x, y, z = options.size * 3 if len(options.size) == 1 else options.size
    seconds = write_synthetic(
        options.folder, (x, y, z), what=options.what, seed=options.seed, processes=options.parallel
    )
    voxels = x * y * z / 1e6
    print(f"{options.folder}: {voxels:,.0f} MVx of {options.what} in {seconds:.1f} s, {voxels / seconds:.1f} MVx/s")


if __name__ == "__main__":
    main()
