"""The labels of a project: names, colors, and the voxels that somebody has painted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.classes import MOST, MOST_NAME, Class, check_classes, color_of
from teravox.kernels.learning.ilastik.hdf5 import Hdf5, children, find, numbers, texts
from teravox.kernels.learning.ilastik.lanes import Lane, axes_of

GROUP = "PixelClassification"
SLICE = re.compile(r"(\d+):(\d+)")


@dataclass(frozen=True)
class LabelBlock:
    """Some voxels of a lane: 0 for those without a label, else the number of a class, from 1 on."""

    corner: tuple[int, int, int]  # of z, y and x in the image
    classes: NDArray[np.uint8]  # z, y and x
    time: int = 0


def read_classes(file: Hdf5) -> tuple[Class, ...]:
    """The classes that labels stand for."""
    group = find(file, GROUP)
    names = None if group is None else texts(group, "LabelNames")
    if not names:
        raise ValueError("it has no classes: add labels in ilastik")
    if len(names) > MOST:
        raise ValueError(f"it has {len(names)} classes, and there can be at most {MOST}")
    colors = _read_colors(group, len(names))
    classes = tuple(Class(name, color) for name, color in zip(_distinct(names), colors, strict=True))
    check_classes(classes)
    return classes


def read_labels(file: Hdf5, lane: int, told: Lane, classes: int) -> Iterator[LabelBlock]:
    """The labelled blocks of an image."""
    where = f"{GROUP}/LabelSets/labels{lane:03d}"
    for name, block in children(file, where):
        voxels = numbers(find(file, where), name, kinds="iu")
        if not voxels.size:
            continue
        axes = axes_of(_said(block, "axistags")) or told.axes
        if len(axes) + 1 == voxels.ndim and "c" not in axes:
            axes += "c"
        starts = [int(start) for start, _ in SLICE.findall(_said(block, "blockSlice") or "")]
        if not len(axes) == len(starts) == voxels.ndim:
            raise ValueError(f"the labels of {where}/{name} do not say where they lie in the image")
        if voxels.max() > classes or voxels.min() < 0:
            raise ValueError(f"a label of {where}/{name} is {voxels.max()}, and there are {classes} classes")
        yield from _in_space(voxels.astype(np.uint8), axes, dict(zip(axes, starts, strict=True)))


def _in_space(voxels: NDArray[np.uint8], axes: str, starts: dict[str, int]) -> Iterator[LabelBlock]:
    """The block in the order z, y, x, for each point of time; of channels there is one."""
    missing = [letter for letter in "tczyx" if letter not in axes]
    whole = voxels.reshape((*voxels.shape, *(1 for _ in missing)))
    order = axes + "".join(missing)
    ordered = whole.transpose([order.index(letter) for letter in "tczyx"])
    corner = starts.get("z", 0), starts["y"], starts["x"]
    for time, of_time in enumerate(ordered):
        yield LabelBlock(corner, np.ascontiguousarray(of_time[0]), starts.get("t", 0) + time)


def _said(data: Hdf5, name: str) -> str | None:
    said = data.attrs.get(name)
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said if isinstance(said, str) else None


def _distinct(names: tuple[str, ...]) -> list[str]:
    """Names that can be shown and told apart."""
    result: list[str] = []
    for number, name in enumerate(names, 1):
        shown = "".join(letter for letter in name.strip() if letter.isprintable())[: MOST_NAME - 4]
        shown = shown or f"class {number}"
        result.append(shown if shown not in result else f"{shown} {number}")
    return result


def _read_colors(group: Hdf5, classes: int) -> list[str]:
    """As #rrggbb; those that the project does not tell are ours."""
    colors = numbers(group, "LabelColors") if find(group, "LabelColors") is not None else np.empty((0, 3))
    told = colors.shape[1:] == (3,) and bool(((colors >= 0) & (colors <= 255)).all())
    return [
        "#{:02x}{:02x}{:02x}".format(*(int(part) for part in colors[number]))
        if told and number < len(colors)
        else color_of(number + 1)
        for number in range(classes)
    ]
