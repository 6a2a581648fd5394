"""The header of an NRRD file: lines of `field: value` up to an empty one."""

from __future__ import annotations

import math
import re
from typing import BinaryIO

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.sources.lengths import nanometres, times
from teravox.pipeline.sources.source import Known

MOST = 1 << 20  # bytes of a header
TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_CODES = {word: code for code, words in TYPES.items() for word in words}
_CHANNELS = re.compile(r"list|vector|point|scalar|stub|complex|quaternion|.*-(vector|color|normal|gradient|matrix)")
_VECTOR = re.compile(r"none|\(([^)]*)\)")
_QUOTED = re.compile(r'"([^"]*)"|(\S+)')


class NrrdHeader(msgspec.Struct, frozen=True):
    """What a header says; axes from the one that lies closest together."""

    shape: tuple[int, ...]
    code: str  # numpy's word for the data type, with its byte order
    encoding: str
    axes: str
    known: Known
    data_file: str | None
    skip: int  # bytes; -1: the data are at the end of the file
    end: int  # byte at which the header ends


def read_nrrd_header(file: BinaryIO, path: str) -> NrrdHeader:
    """The header at the beginning of a file; BadInput says what it lacks."""
    fields = _fields(file, path)
    try:
        shape = tuple(int(n) for n in fields["sizes"].split())
        code = _CODES[fields["type"].lower()]
        if code[1] != "1":
            code = {"little": "<", "big": ">"}[fields["endian"].lower()] + code
        header = NrrdHeader(
            shape=shape,
            code=code,
            encoding={"gz": "gzip"}.get(fields["encoding"].lower(), fields["encoding"].lower()),
            axes=_letters(fields.get("kinds", "").lower().split(), len(shape)),
            known=_known(fields, len(shape)),
            data_file=fields.get("data file", fields.get("datafile")),
            skip=int(fields.get("byte skip", fields.get("byteskip", "0"))),
            end=file.tell(),
        )
    except KeyError as error:
        raise BadInput(f"{path}: the NRRD header has no {error}, or one that is not known") from None
    except ValueError as error:
        raise BadInput(f"{path}: the NRRD header cannot be read: {error}") from None
    if int(fields.get("dimension", "0")) != len(shape) or min(shape) < 1:
        raise BadInput(f"{path}: the NRRD header has sizes {fields['sizes']}, which are not those of its dimension")
    if fields.get("line skip", fields.get("lineskip", "0")) != "0":
        raise BadInput(f"{path} wants lines skipped before its data, which is not done here; write it anew: unu save")
    return header


def _fields(file: BinaryIO, path: str) -> dict[str, str]:
    if not file.readline(16).startswith(b"NRRD000"):
        raise BadInput(f"{path} is no NRRD file: it does not begin with NRRD000")
    fields = {}
    while (line := file.readline(MOST)).strip() and file.tell() < MOST:
        text = line.decode("utf-8", "replace").strip()
        name, colon, value = text.partition(":")
        if not text.startswith("#") and colon and not value.startswith("="):
            fields[name.strip().lower()] = value.strip()
        if name.strip().lower() in {"data file", "datafile"} and value.strip().upper().startswith("LIST"):
            break  # names of files follow
    return fields


def _letters(kinds: list[str], dimensions: int) -> str:
    """The letters of the axes that kinds name; empty where custom must say."""
    if len(kinds) != dimensions:
        return ""
    space = iter("xyz")
    letters = ""
    for kind in kinds:
        letters += "c" if _CHANNELS.fullmatch(kind) else "t" if kind == "time" else next(space, "?")
    return letters if "?" not in letters and len(set(letters)) == dimensions and "y" in letters else ""


def _known(fields: dict[str, str], dimensions: int) -> Known:
    """Steps from the directions or the spacings; an origin only where the directions are those of x, y and z."""
    if "space directions" not in fields:
        units = [quoted or word for quoted, word in _QUOTED.findall(fields.get("units", ""))]
        spacings = [float(n) for n in fields.get("spacings", "").split()]
        steps = tuple(times(n, unit) for n, unit in zip(spacings, units, strict=False))
        return Known(steps) if len(steps) == dimensions else Known()
    directions = [
        [float(n) for n in found[1].split(",")] if found[1] is not None else None
        for found in _VECTOR.finditer(fields["space directions"])
    ]
    units = [quoted or word for quoted, word in _QUOTED.findall(fields.get("space units", ""))]
    nm = nanometres(units[0]) if units and len(set(units)) == 1 else None
    if nm is None or len(directions) != dimensions:
        return Known()
    spans = [None if direction is None else math.hypot(*direction) * nm for direction in directions]
    straight = _origin(fields.get("space origin", ""), [one for one in directions if one is not None])
    starts = iter([n * nm for n in straight])
    origin = tuple(None if direction is None else next(starts, None) for direction in directions)
    return Known(tuple(spans), origin)


def _origin(text: str, directions: list[list[float]]) -> list[float]:
    """The space origin, if the axes of voxels are those of space; else nothing."""
    is_straight = all(
        (number > 0) if axis == at else number == 0
        for at, direction in enumerate(directions)
        for axis, number in enumerate(direction)
    )
    found = _VECTOR.fullmatch(text)
    return [float(n) for n in found[1].split(",")] if is_straight and found and found[1] else []
