"""Sizes and times, as people write and read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

_NUMBER = re.compile(r"\s*((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*([A-Za-z]*)\s*", re.ASCII)
_ONE = Decimal(1)
_SIZES = {"": _ONE, "b": _ONE, "byte": _ONE, "bytes": _ONE}
for _power, _letter in enumerate("kmgtpe", start=1):
    _thousands = Decimal(1000**_power)
    _SIZES |= {_letter: _thousands, f"{_letter}b": _thousands, f"{_letter}ib": Decimal(1024**_power)}
_TIMES = {"": _ONE, "s": _ONE, "sec": _ONE, "ms": _ONE / 1000}
_TIMES |= {"m": Decimal(60), "min": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_MOST = 2**63 - 1  # what JSON readers, databases and SLURM agree to call a whole number


def parse_bytes(text: str) -> int:
    """A size in bytes: `3.5GB` counts in thousands, `3.5GiB` in 1024s, and no unit means bytes."""
    size = _parse(text, _SIZES)
    if size is None:
        raise ValueError(f"expected a size like 3.5GB, got {text[:80]!r}")
    return int(size)


def parse_seconds(text: str) -> float:
    """A time in seconds: `90`, `90s`, `500ms`, `10m`, `2h`, `1d`."""
    time = _parse(text, _TIMES)
    if time is None:
        raise ValueError(f"expected a time like 90s or 10m, got {text[:80]!r}")
    return float(time)


def say_bytes(size: float) -> str:
    """A size as people read it: `12.3 GB`."""
    if abs(size) < 999.5:
        return f"{size:.0f} byte" if round(size) == 1 else f"{size:.0f} bytes"
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        size /= 1000
        if abs(size) < 99.95:
            return f"{size:.1f} {unit}"
        if abs(size) < 999.5:
            return f"{size:.0f} {unit}"
    return f"{size / 1000:,.1f} EB"


def say_seconds(seconds: float) -> str:
    """A time as people read it: `0.25 s`, `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0:
        return "-" + say_seconds(-seconds)
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    for large, unit, small, rest in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= large:
            count, left = divmod(whole // small, large // small)
            return f"{count} {unit} {left} {rest}" if left else f"{count} {unit}"
    return f"{whole} s"


def _parse(text: str, units: Mapping[str, Decimal]) -> Decimal | None:
    found = _NUMBER.fullmatch(text)
    if found is None or found[2].lower() not in units:
        return None
    value = Decimal(found[1]) * units[found[2].lower()]
    return value if value <= _MOST else None
