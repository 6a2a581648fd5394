"""The folder of a demo, known again by the file that says what was drawn in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from teravox.pipeline.box import Vec
from teravox.pipeline.demo.choices import CHOICES, Data
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.storage.atomic_write import is_temporary, write_atomic

MARK = "demo.json"
SEED = 1
MOST = 512**3  # voxels, since all of them are in memory while they are drawn
LEAST = 48  # voxels along an axis: fewer are hardly more than one neurite


class Drawing(msgspec.Struct, frozen=True):
    """Which volume it is: the same words give the same bytes."""

    size: Vec
    seed: int
    data: Data = "brain"
    form: Literal["teravox demo 1"] = "teravox demo 1"


def claim(folder: Path, data: Data | None, size: Vec | None, seed: int | None) -> Drawing:
    """Make the folder, or find the demo in it; BadUsage where it holds anything else, or another volume than is asked for."""
    mark = folder / MARK
    if mark.is_file():
        drawing = _read(mark)
        asked_for = (
            ("--data", data, drawing.data),
            ("--size", size, drawing.size),
            ("--seed", seed, drawing.seed),
        )
        for option, asked, there in asked_for:
            if asked is not None and asked != there:
                raise BadUsage(
                    f"{option}: {folder} holds a demo with {_say(there)}; name another folder for {_say(asked)}"
                )
        return drawing
    if folder.exists() and not folder.is_dir():
        raise BadUsage(f"FOLDER: {folder} is a file; name a folder that is new or empty")
    if folder.is_dir() and any(not is_temporary(file.name) for file in folder.iterdir()):
        raise BadUsage(
            f"FOLDER: {folder} holds files that are of no demo, and they stay; name a folder that is new or empty"
        )
    data = data or "brain"
    drawing = Drawing(size or CHOICES[data].size, SEED if seed is None else seed, data)
    _check(drawing.size)
    write_atomic(str(mark), msgspec.json.encode(drawing))
    return drawing


def _read(mark: Path) -> Drawing:
    try:
        drawing = msgspec.json.decode(mark.read_bytes(), type=Drawing)
    except msgspec.DecodeError as error:
        raise BadUsage(
            f"FOLDER: {mark} is of no demo of this teravox ({error}); name a folder that is new or empty"
        ) from None
    _check(drawing.size)
    return drawing


def _check(size: Vec) -> None:
    if min(size) < LEAST or size[0] * size[1] * size[2] > MOST:
        raise BadUsage(
            f"--size: {_say(size)} voxels; at least {LEAST} along each axis and at most {MOST:,} in all can be drawn"
        )


def _say(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
