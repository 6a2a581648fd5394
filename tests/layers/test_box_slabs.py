"""A box that is read slab by slab is the box that is read at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer, voxels

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.slabs import cut_slabs, read_slabs
from teravox.tasks.image.transfer import Transfer


@pytest.mark.parametrize("box", [Box((5, -7, 3), (27, 14, 22)), Box((9, 1, 7), (20, 9, 15)), Box((6, 0, 4), (7, 1, 5))])
def test_slabs_make_the_box_and_share_no_chunk(tmp_path: Path, box: Box) -> None:
    layer = Layer.open(make_layer(tmp_path / "layer", voxels((22, 21, 19), "uint16", channels=2), offset=(5, -7, 3)))
    scale = layer.scale(0)
    slabs = cut_slabs(scale, box)
    chunks = [chunk for slab in slabs for chunk in chunks_of(scale, slab)]
    assert len(chunks) == len(set(chunks)) == len(list(chunks_of(scale, box)))
    read = [slab.copy(order="F") for slab in read_slabs(layer, box, 0)]
    assert len(read) == len(slabs)
    assert np.array_equal(np.concatenate(read, axis=2), layer.read(box, 0))


def test_shards_are_read_at_once(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "layer", voxels((40, 40, 40), "uint8"))
    job = Transfer(source, str(tmp_path / "sharded"), sharded=True)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    layer = Layer.open(str(tmp_path / "sharded"))
    (slab,) = read_slabs(layer, layer.bounds(0), 0)
    assert np.array_equal(slab, Layer.open(source).read(layer.bounds(0), 0))


def test_what_is_missing_is_said_or_filled(tmp_path: Path) -> None:
    layer = Layer.open(make_layer(tmp_path / "layer", np.ones((8, 8, 80, 1), np.uint8, order="F")))
    (tmp_path / "layer/4_4_40/0-8_0-8_16-24.gz").unlink()
    with pytest.raises(BadInput, match="is missing; pass --fill-missing"):
        list(read_slabs(layer, layer.bounds(0), 0))
    filled = [slab.copy() for slab in read_slabs(layer, layer.bounds(0), 0, fill_missing=True)]
    whole = np.concatenate(filled, axis=2)
    assert not whole[:, :, 16:24].any() and whole.sum() == 8 * 8 * 72
