"""Blocks for stitching, cut out of a whole volume of labels: each block sees its part, and numbers it by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.job import AnyJob
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.segmentation.block_files import Preserved
from teravox.pipeline.segmentation.plan_file import PlanFile
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.tasks.stitch.match import Match
from teravox.tasks.stitch.relabel import Relabel
from teravox.tasks.stitch.resolve import Resolve

Array = NDArray[Any]  # of whatever labels


def cut_into_blocks(
    folder: Path,
    whole: Array,
    *,
    shape: Vec,
    halo: Vec,
    offset: Vec = (0, 0, 0),
    chunk: Vec | None = None,
    connectivity: int | None = 6,
    preserve: tuple[int, ...] = (),
    blind: tuple[int, ...] = (),
    muddle: Callable[[int, Array], Array] = lambda _, values: values,
    used: tuple[tuple[int, int], ...] | None = None,
    id: str = "one",
) -> str:
    """A layer with these blocks; within each read box a label has as many numbers as it has components, or with None one.

    Blocks that are blind take what is to be preserved for labels like any other; `muddle` says what a block takes its voxels for.
    """
    bounds = Box((0, 0, 0), (whole.shape[0], whole.shape[1], whole.shape[2])).shift(offset)
    bits = 24
    plan = PlanFile(
        source="file:///em",
        mip=0,
        bounds=bounds,
        shape=shape,
        halo=halo,
        chunk=chunk or shape,
        resolution=(4.0, 4.0, 40.0),
        bits=bits,
        base=_base(preserve, bits),
        used=used or ((0, len(Grid(bounds, shape))),),
    )
    segmented = Segmented.create(str(folder), id, plan)
    for index in segmented.blocks.used:
        read = segmented.read_box(index)
        values = np.asfortranarray(whole[within(read, bounds)])
        labels = number(np.asfortranarray(muddle(index, values)), connectivity)
        kept = [one for one in preserve if index not in blind and (values == one).any()]
        labels += np.uint32(len(kept)) * (labels > 0)
        for local, one in enumerate(kept, start=1):
            labels[values == one] = local
        labels = close_gaps(labels)
        table = Preserved(np.arange(1, len(kept) + 1, dtype=np.uint32), np.array(kept, np.uint64))
        segmented.write_block(index, labels, table)
    segmented.publish()
    return str(folder)


def number(values: Array, connectivity: Any) -> NDArray[np.uint32]:
    if connectivity is None:
        _, numbered = np.unique(np.append(values.ravel(order="F"), 0), return_inverse=True)
        return np.asfortranarray(numbered[:-1].reshape(values.shape, order="F"), np.uint32)
    return np.asfortranarray(cc3d.connected_components(values, connectivity=connectivity, out_dtype=np.uint32))


def close_gaps(labels: NDArray[np.uint32]) -> NDArray[np.uint32]:
    there = np.unique(np.append(labels, 0))
    return np.asfortranarray(np.searchsorted(there, labels), np.uint32)


def _base(preserve: tuple[int, ...], bits: int) -> int:
    return ((max(preserve) >> bits) + 1) << bits if preserve else 0


def run_all(job: AnyJob, order: Sequence[int] | None = None) -> None:
    """Prepare a job, run its pieces in this order, and finish it."""
    job.prepare()
    pieces = job.pieces()
    for place in range(len(pieces)) if order is None else order:
        job.run(pieces[place])
    job.finish()


def stitch(layer: str, *, seed: int | None = None, **options: Any) -> Array:  # whatever the kinds take
    """All stages, their pieces in an order of their own if there is a seed, some of them twice; the voxels that came of it."""
    random = None if seed is None else np.random.default_rng(seed)

    def order(pieces: int) -> list[int] | None:
        if random is None:
            return None
        again = random.integers(0, pieces, pieces // 2)
        return [int(place) for place in random.permutation(np.concatenate([np.arange(pieces), again]))]

    options = {"overwrite": True} | options
    relabelling = {name: options[name] for name in options if name in Relabel.__struct_fields__}
    resolving = {name: options[name] for name in options if name in Resolve.__struct_fields__}
    match = Match(layer=layer)
    run_all(match, order(len(match.pieces())))
    first = Resolve(layer=layer, **resolving)
    for step in range(1, first.steps + 1):
        resolve = Resolve(layer=layer, step=step, **resolving)
        run_all(resolve, order(len(resolve.pieces())))
    relabel = Relabel(layer=layer, **relabelling)
    run_all(relabel, order(len(relabel.pieces())))
    written = Layer.open(relabel.home(), fresh=True)
    return written.read(written.bounds(0), 0, fill_missing=True)[..., 0]
