"""What a demo begins with: a stack of slices as a TIFF, and the truth about it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.demo.choices import CHOICES, find_generator
from teravox.pipeline.demo.place import Drawing
from teravox.pipeline.storage.atomic_write import write_atomic

TRUTH = "truth.npy"
AT_ONCE: Vec = (256, 256, 64)  # voxels


def is_drawn(folder: Path, drawing: Drawing) -> bool:
    return (folder / CHOICES[drawing.data].image).is_file() and (folder / TRUTH).is_file()


def boxes(drawing: Drawing) -> Grid:
    """The parts in which a volume is drawn."""
    return Grid(Box((0, 0, 0), drawing.size), AT_ONCE)


def draw(folder: Path, drawing: Drawing, progress: Callable[[int], None]) -> None:
    """Write both files; `progress` hears of each box."""
    import numpy as np
    import tifffile

    draw_box = find_generator(drawing.data)
    image = np.empty(drawing.size[::-1], np.uint8)  # z, y, x
    truth = np.empty(drawing.size[::-1], np.uint32)
    for box in boxes(drawing):
        drawn = draw_box(drawing.size, box.min, box.max, drawing.seed)
        here = tuple(slice(low, high) for low, high in zip(box.min[::-1], box.max[::-1], strict=True))
        image[here], truth[here] = drawn.image.T, drawn.truth.T
        progress(1)
    _write(folder / TRUTH, lambda file: np.save(file, truth))
    _write(folder / CHOICES[drawing.data].image, lambda file: tifffile.imwrite(file, image, metadata={"axes": "ZYX"}))


def _write(file: Path, save: Callable[[Any], object]) -> None:  # Any: what either library takes as a file
    memory = io.BytesIO()
    save(memory)
    write_atomic(str(file), memory.getbuffer().tobytes())
