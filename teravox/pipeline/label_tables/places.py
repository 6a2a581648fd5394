"""Where the tables of a layer lie."""

from __future__ import annotations

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.info import Scale


def table_folder(scale: Scale, bounds: Box | None) -> str:
    """The folder, within a layer, of the table of a mip, or of a part of one."""
    folder = f"stats/voxels/{scale.key}"
    part = scale.bounds if bounds is None else bounds.intersect(scale.bounds)
    return folder if part == scale.bounds else f"{folder}/within/{_name(part)}"


def counts_folder(folder: str, shape: Vec) -> str:
    """Where it lies what was counted in boxes of a shape."""
    return f"{folder}/counts/{'x'.join(map(str, shape))}"


def counts_key(folder: str, shape: Vec, piece: Box) -> str:
    """The key of what was counted in one box."""
    return f"{counts_folder(folder, shape)}/{_name(piece)}.rows"


def contacts_key(folder: str, shape: Vec, piece: Box) -> str:
    """The key of the contacts that were counted in one box."""
    return f"{counts_folder(folder, shape)}/{_name(piece)}.contacts"


def _name(box: Box) -> str:
    return "_".join(f"{a}-{b}" for a, b in zip(box.min, box.max, strict=True))
