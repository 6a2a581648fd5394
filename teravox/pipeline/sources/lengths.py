"""Units of length, as metadata write them."""

from __future__ import annotations

_NANOMETRES = {
    "pm": 1e-3, "picometer": 1e-3,
    "å": 0.1, "\u212b": 0.1, "angstrom": 0.1, "a": 0.1,
    "nm": 1.0, "nanometer": 1.0,
    "um": 1e3, "\u00b5m": 1e3, "\u03bcm": 1e3, "\\u00b5m": 1e3, "micron": 1e3, "micrometer": 1e3,
    "mm": 1e6, "millimeter": 1e6,
    "cm": 1e7, "centimeter": 1e7,
    "m": 1e9, "meter": 1e9,
    "inch": 2.54e7, "in": 2.54e7,
}  # fmt: skip


def nanometres(unit: object) -> float | None:
    """How many nanometres a unit has; None if it is no unit of length that is known."""
    if not isinstance(unit, str):
        return None
    word = unit.strip().strip('"').lower().replace("metre", "meter")
    return _NANOMETRES.get(word) or _NANOMETRES.get(word.removesuffix("s"))


def times(number: object, unit: object) -> float | None:
    """A length in nanometres; None where its unit is not known or the number is none above 0."""
    one = nanometres(unit)
    if one is None or isinstance(number, bool) or not isinstance(number, int | float) or not number > 0:
        return None
    return float(number) * one
