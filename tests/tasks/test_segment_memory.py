"""`segment` needs no more memory than it says, measured in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from layers.make import Vec
from memory_alone import measure_memory
from segmentation.segmenting import grey

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.pipeline.segmentation.memory import STEPS_LOADED
from teravox.pipeline.segmentation.steps import Step
from teravox.tasks.segment import Segment

SLACK = 15_000_000  # bytes that allocators keep for themselves


def make_image(folder: Path, size: Vec) -> str:
    scale = new_scale(
        bounds=Box((0, 0, 0), size), resolution=(8, 8, 8), chunk=(32, 32, 32), encoding=encoding_words("raw")
    )
    layer = create_layer(str(folder), new_info(type="image", data_type="uint8", channels=1, scales=[scale]))
    layer.write(layer.bounds(0), 0, grey(size))
    return layer.url


@pytest.mark.parametrize(
    "change",
    [
        {},
        {
            "keep": "predictions",
            "predict": Step("invert"),
            "supervoxels": Step("seeded-watershed", {"seed_threshold": 0.4}),
            "agglomerate": (Step("none"),),
        },
    ],
)
def test_a_block_stays_within_what_was_promised(tmp_path: Path, change: dict[str, Any]) -> None:
    small, large = make_image(tmp_path / "small", (32, 32, 32)), make_image(tmp_path / "large", (160, 160, 128))
    warm = Segment(source=small, dest=str(tmp_path / "a"), halo=(4, 4, 4), **change)
    job = Segment(source=large, dest=str(tmp_path / "b"), shape=(128, 128, 128), halo=(16, 16, 16), **change)
    for each in (warm, job):
        each.prepare()
    peak, growth = measure_memory(job, warm=warm)
    promised = job.memory(job.pieces()[0])
    assert peak <= promised
    assert growth <= promised - LIBRARIES - STEPS_LOADED + SLACK


def test_what_a_step_takes_however_large_the_box_is_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from teravox.kernels.segmentation.predict import invert
    from teravox.pipeline.segmentation import step_functions

    job = Segment(
        source=make_image(tmp_path / "em", (32, 32, 32)),
        dest=str(tmp_path / "a"),
        halo=(4, 4, 4),
        predict=Step("invert"),
    )
    usual = job.memory(job.pieces()[0])
    monkeypatch.setitem(vars(invert.predict), "fixed", lambda **_: 700_000_000)
    step_functions._declared_built_in.cache_clear()
    again = msgspec.structs.replace(job, dest=str(tmp_path / "b"))
    assert again.memory(again.pieces()[0]) == usual + 700_000_000
