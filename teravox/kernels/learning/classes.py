"""The classes that voxels are labelled with: their names and their colors."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable

import msgspec

MOST = 255  # since labels are stored as a byte, and 0 is unlabelled
MOST_NAME = 60  # characters
COLOR = re.compile(r"#[0-9a-f]{6}")
COLORS = (  # told apart by everybody: https://jfly.uni-koeln.de/color/
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
)
GOLDEN = 0.618034  # of a turn of the color circle, so that no two colors are the same


class Class(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class; labels are its number among the classes, from 1 on."""

    name: str
    color: str  # like #e69f00


def color_of(number: int) -> str:
    """The color that class `number`, counted from 1, has where nobody chose one."""
    if number <= len(COLORS):
        return COLORS[number - 1]
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.75, 0.95)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def make_classes(names: Iterable[str]) -> tuple[Class, ...]:
    """Classes of these names, in colors that are told apart; ValueError says what is wrong with a name."""
    classes = tuple(Class(name.strip(), color_of(number)) for number, name in enumerate(names, 1))
    check_classes(classes)
    return classes


def check_classes(classes: tuple[Class, ...]) -> None:
    """Raise ValueError where classes cannot be told apart or stored."""
    if len(classes) > MOST:
        raise ValueError(f"there can be at most {MOST} classes, and these are {len(classes)}")
    seen: set[str] = set()
    for one in classes:
        if not one.name or len(one.name) > MOST_NAME or not one.name.isprintable():
            raise ValueError(f"a class needs a name of 1 to {MOST_NAME} characters that can be shown, not {one.name!r}")
        if COLOR.fullmatch(one.color) is None:
            raise ValueError(f"the color of class {one.name} must be like {COLORS[0]}, and is {one.color!r}")
        if one.name in seen:
            raise ValueError(f"two classes have the name {one.name}")
        seen.add(one.name)
