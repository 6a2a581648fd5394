"""Takes a volume through all stages, from an image to one segmentation, as tasks do, here and in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from layers.make import make_layer
from numpy.typing import NDArray

from teravox.pipeline.box import Vec
from teravox.pipeline.job import AnyJob
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.tasks.segment import Segment
from teravox.tasks.stitch.match import Match
from teravox.tasks.stitch.relabel import Relabel
from teravox.tasks.stitch.resolve import Resolve

Array = NDArray[Any]  # of whatever a test asks for
Labels = NDArray[np.uint64]
Order = Callable[[Sequence[Any]], Sequence[Any]]  # of the pieces of a job, whatever they are
RESOLUTION = (10.0, 10.0, 10.0)
RELABELLING = ("dest", "consecutive", "encoding", "sharded")


class Tissue(NamedTuple):
    """Cells with dark membranes between them, and which voxel is whose."""

    image: NDArray[np.uint8]
    truth: NDArray[np.uint32]


def draw_tissue(size: Vec, seed: int, cells: int) -> Tissue:
    """Cells around random points, in Fortran's order; it needs nothing that would have to be compiled first."""
    random = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1)
    apart = np.stack([np.linalg.norm(places - point, axis=-1) for point in random.random((cells, 3)) * size])
    nearest, second = np.sort(apart, axis=0)[:2]
    grey = np.where(second - nearest < 3, 70, 150) + random.normal(scale=12, size=size)
    return Tissue(np.asfortranarray(np.clip(grey, 0, 255), np.uint8), np.asfortranarray(apart.argmin(0) + 1, np.uint32))


def image_layer(folder: Path, image: Array, offset: Vec = (0, 0, 0), chunk: Vec = (16, 16, 16)) -> str:
    """A layer of an image of x, y, z, or with channels."""
    voxels = image if image.ndim == 4 else image[..., np.newaxis]
    return make_layer(folder, voxels, chunk=chunk, offset=offset, compress=False, resolution=RESOLUTION)


def step(name: str, **parameters: Any) -> dict[str, Any]:  # parameters of any type, as in a message
    return {"name": name, "parameters": parameters}


COMPONENTS = {
    "predict": step("layer", invert=True),
    "supervoxels": step("components", connectivity=6),
    "agglomerate": [step("none")],
}
"""What takes an image of 0 and 1, or of shares, apart into its connected pieces."""


def segment(source: str, dest: Path | str, order: Order = list, **options: Any) -> str:
    do(msgspec.convert({"source": source, "dest": str(dest), **options}, Segment), order)
    return str(dest)


def stitch(layer: str, order: Order = list, **options: Any) -> Labels:
    """The segmentation of the whole."""
    for job in stages(layer, **options):
        do(job, order)
    return read(options.get("dest", layer))


def stages(layer: str, **options: Any) -> Iterator[AnyJob]:
    """The jobs of stitching, each made when those before are done."""
    joining = {name: value for name, value in options.items() if name not in RELABELLING}
    yield Match(layer, blocks=options.get("blocks"))
    yield (first := Resolve(layer, **joining))
    for number in range(2, first.steps + 1):
        yield Resolve(layer, step=number, **joining)
    yield Relabel(layer, **options)


def do(job: AnyJob, order: Order = list) -> None:
    job.prepare()
    for piece in order(job.pieces()):
        job.run(piece)
    job.finish()


def read(layer: str) -> Labels:
    """All of a segmentation; what has no chunks, since nothing was to be segmented there, is 0."""
    opened = Layer.open(layer, fresh=True)
    return opened.read(opened.bounds(0), 0, fill_missing=True)[..., 0].astype(np.uint64)


def cores(layer: str) -> Labels:
    """The blocks' own labels by their global ids, before anything is stitched."""
    segmented = Segmented.open(layer)
    whole = np.zeros(segmented.plan.bounds.size, np.uint64, order="F")
    for index in segmented.blocks.used:
        core = segmented.core(index)
        box = segmented.grid[index].shift(tuple(-n for n in segmented.plan.bounds.min))  # type: ignore[arg-type] # three
        place = tuple(slice(a, b) for a, b in zip(box.min, box.max, strict=True))
        ids = np.concatenate([[0], segmented.global_ids(index, np.arange(1, core.max() + 1, dtype=np.uint32))])
        whole[place] = ids.astype(np.uint64)[core]
    return whole


def pairs_of(one: Array, other: Array) -> NDArray[np.uint64]:
    """The pairs of labels that lie over each other, each once: two rows."""
    firsts, first = np.unique(one, return_inverse=True)
    seconds, second = np.unique(other, return_inverse=True)
    keys = np.unique(first.ravel() * len(seconds) + second.ravel())
    return np.stack([firsts[keys // len(seconds)], seconds[keys % len(seconds)]]).astype(np.uint64)


def is_part_of(fine: Array, coarse: Array) -> bool:
    """Whether each body of one lies in a single body of the other, and background is background."""
    first, second = pairs_of(fine, coarse)
    return len(np.unique(first)) == len(first) and bool(((first == 0) == (second == 0)).all())


def are_same(one: Array, other: Array) -> bool:
    """Whether two segmentations have the same bodies, whatever these are called."""
    return is_part_of(one, other) and is_part_of(other, one)


def shuffled_and_repeated(seed: int) -> Order:
    """The pieces in any order, and some of them twice."""

    def order(pieces: Sequence[Any]) -> Sequence[Any]:
        random = np.random.default_rng(seed)
        all_of_them = list(pieces)
        again = [piece for piece in all_of_them if random.random() < 0.3]
        mixed = all_of_them + again
        return [mixed[n] for n in random.permutation(len(mixed))]

    return order
