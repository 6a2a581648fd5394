"""`mesh forge` and `mesh merge` on a real cortex, against zmesh on the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from meshes.forging import mesh
from meshes.quality import deviations, facts_of, weld, whole_meshes
from meshes.read_back import levels, read_meshes
from real_volumes import real_cortex

OFFSET = (1001, -503, 77)
MAX_ERROR = 40.0


def test_a_cortex_has_the_meshes_of_its_whole_volume(tmp_path: Path) -> None:
    cortex = real_cortex()
    volume = np.asfortranarray(cortex[200:376, 150:310, 200:296])
    layer = make_layer(
        tmp_path,
        volume[..., np.newaxis],
        chunk=(64, 64, 32),
        offset=OFFSET,
        type="segmentation",
        encoding="compressed_segmentation",
        resolution=(16, 16, 40),
    )
    mesh(layer, shape=(64, 64, 64), cell=(32, 32, 32), max_error=MAX_ERROR, num_lods=3, min_chunk_size=(64, 64, 64))
    whole = dict(whole_meshes(volume, (16, 16, 40), OFFSET))
    found = read_meshes(layer, whole)
    assert sorted(found) == sorted(whole)
    assert max(levels(layer, label) for label in whole) == 3
    distances = []
    for label, surface in whole.items():
        ours, wanted = facts_of(weld(found[label], 1e-3)), facts_of(surface)
        assert (ours.is_volume, ours.euler, ours.open_edges) == (wanted.is_volume, wanted.euler, 0), label
        if (volume == label).sum() > 1000:
            assert ours.volume == pytest.approx(wanted.volume, rel=0.01), label
        distances.append(deviations(surface, found[label], 200 + len(surface.faces) // 20))
        assert np.percentile(distances[-1], 99) <= MAX_ERROR
    # That of zmesh's own simplification is 12 to 17 here.
    assert np.percentile(np.concatenate(distances), 99) <= 16
