"""`skeleton forge` and `skeleton merge` on a real cortex, against kimimaro on the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from real_volumes import real_cortex
from skeletons.making import skeletonize
from skeletons.quality import drop_short, facts_of, whole_skeletons
from skeletons.read_back import read_skeletons
from skeletons.tissue import Tissue

OFFSET = (1001, -503, 77)
RESOLUTION = (16.0, 16.0, 40.0)
LEAST_CABLE = 1000.0  # nanometres
DUST = 1000  # voxels


def test_a_cortex_has_the_skeletons_of_its_whole_volume(tmp_path: Path) -> None:
    cortex = real_cortex()
    volume = np.asfortranarray(cortex[200:328, 150:278, 200:264])
    layer = make_layer(
        tmp_path,
        volume[..., np.newaxis],
        chunk=(64, 64, 32),
        offset=OFFSET,
        type="segmentation",
        encoding="compressed_segmentation",
        resolution=RESOLUTION,
    )
    skeletonize(layer, shape=(64, 64, 64), dust_threshold=DUST, min_cable_length=LEAST_CABLE)
    tissue = Tissue(volume, RESOLUTION, OFFSET)
    whole = {
        label: drop_short(skeleton, LEAST_CABLE)
        for label, skeleton in whole_skeletons(volume, RESOLUTION, OFFSET, dust=DUST).items()
    }
    found = read_skeletons(layer, tissue.labels)
    assert sorted(label for label, skeleton in whole.items() if len(skeleton.vertices) and label not in found) == []
    pairs = []
    for label, skeleton in found.items():
        facts = facts_of(skeleton)
        assert facts.loops == 0, label
        assert tissue.inside(label, skeleton).all(), label
        assert tissue.from_middle(skeleton) < 0.1, label
        assert tissue.parts_of(label, skeleton, DUST).broken == 0, label
        pairs.append((facts, facts_of(whole[label])))
    cable, of_whole = (sum(facts.cable for facts in side) for side in zip(*pairs, strict=True))
    assert cable == pytest.approx(of_whole, rel=0.1)  # small pieces add more than large ones, which benchmarks measure
    terminals, of_whole = (sum(facts.terminals for facts in side) for side in zip(*pairs, strict=True))
    assert terminals == pytest.approx(of_whole, rel=0.15)
