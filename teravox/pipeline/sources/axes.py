"""Which axis of an array is which."""

from __future__ import annotations

from teravox.pipeline.errors import BadUsage

LETTERS = "xyzct"
CUSTOM = {"C": {1: "", 2: "yx", 3: "zyx"}, "F": {2: "xy", 3: "xyz", 4: "xyzc"}}


def usual_axes(dimensions: int, order: str) -> str:
    """What arrays without names for their axes are by custom: x lies closest together. Empty: there is no custom."""
    return CUSTOM[order].get(dimensions, "")


def check_axes(axes: str, shape: tuple[int, ...], place: str) -> str:
    """The axes that somebody asked for; BadUsage where the array cannot have them."""
    axes = axes.lower()
    if len(axes) != len(shape):
        raise BadUsage(f"--axes: {place} has {len(shape)} axes, of {_say(shape)}; {axes!r} names {len(axes)}")
    wrong = sorted({letter for letter in axes if letter not in LETTERS})
    if wrong or len(set(axes)) < len(axes) or not {"x", "y"} <= set(axes):
        raise BadUsage(f"--axes: expected x, y and any of z, c, t, each once, like zyx or zcyx; got {axes!r}")
    return axes


def letters_of(names: object, dimensions: int) -> str:
    """The letters of axes that metadata name; empty unless each of them is known."""
    if not isinstance(names, list | tuple) or len(names) != dimensions:
        return ""
    known = {"channel": "c", "time": "t", "s": "c"} | {letter: letter for letter in LETTERS}
    letters = "".join(known.get(str(name).lower(), "?") for name in names)
    return letters if "?" not in letters and len(set(letters)) == dimensions and {"x", "y"} <= set(letters) else ""


def _say(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
