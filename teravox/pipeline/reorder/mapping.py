"""Which slice of the source each slice of the destination shows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.store import Store

KEY = "reorder.json"  # in the destination

Unlisted = Literal["refuse", "blank", "same"]


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For each slice of the destination, from `first` on, the slice of the source that it shows; None: background."""

    first: int
    slices: tuple[int | None, ...]

    def of(self, low: int, high: int) -> list[int | None]:
        """What the slices from `low` up to `high` show."""
        return list(self.slices[low - self.first : high - self.first])


def read_mapping(file: KnownFile, dest: range, source: range, unlisted: Unlisted) -> Mapping:
    """The mapping in a JSON or CSV file; BadUsage says what in it cannot be meant."""
    given: dict[int, int | None] = {}
    path = file.path
    for z, from_z in _pairs(file):
        if z in given:
            raise BadUsage(f"--mapping: {path} says twice what slice {z} of DEST is to show")
        if z not in dest:
            raise BadUsage(f"--mapping: {path} names slice {z}, and DEST has {_say(dest)}")
        if from_z is not None and from_z not in source:
            raise BadUsage(
                f"--mapping: {path} puts slice {from_z} at slice {z} of DEST, and the source has {_say(source)}"
            )
        given[z] = from_z
    unsaid = [z for z in dest if z not in given]
    if unsaid and unlisted == "refuse":
        raise BadUsage(
            f"--mapping: {path} does not say what {len(unsaid):,} of {len(dest):,} slices of DEST are to show (the first "
            f"is {unsaid[0]}): list them, or pass --unlisted same or --unlisted blank"
        )
    for z in unsaid:
        given[z] = z if unlisted == "same" else None
    return Mapping(dest.start, tuple(given[z] for z in dest))


def encode_mapping(mapping: Mapping) -> bytes:
    return msgspec.json.encode(mapping) + b"\n"


def check_kept(store: Store, mapping: Mapping) -> bool:
    """Whether the destination has this mapping already; BadUsage where it has another one."""
    kept = store.get(KEY)
    if kept is not None and kept != encode_mapping(mapping):
        raise BadUsage(
            f"DEST: {store.url} was made by another mapping, which it keeps in {KEY}. Choose another DEST, or remove this one"
        )
    return kept is not None


def kept_mapping(store: Store) -> Mapping:
    """The mapping that the destination keeps."""
    data = store.get(KEY)
    if data is None:
        raise BadInput(f"{store.url}/{KEY} is missing, which says how slices are reordered: queue the job again")
    try:
        return msgspec.json.decode(data, type=Mapping)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{store.url}/{KEY} cannot be read: {error}. Remove it, and queue the job again") from None


def _pairs(file: KnownFile) -> Iterator[tuple[int, int | None]]:
    path = file.path
    try:
        text = file.read().decode("utf-8-sig")
    except BadUsage as error:
        raise BadUsage(f"--mapping: {error}") from None
    except UnicodeDecodeError:
        raise BadUsage(f"--mapping: cannot read {path}: it is not text") from None
    return _json_pairs(path, text) if text.lstrip().startswith(("{", "[")) else _csv_pairs(path, text)


def _json_pairs(path: str, text: str) -> Iterator[tuple[int, int | None]]:
    try:
        pairs = json.loads(text, object_pairs_hook=lambda pairs: pairs)  # a dictionary would hide doubles
    except ValueError as error:
        raise BadUsage(f"--mapping: {path} is not JSON: {error}") from None
    if not text.lstrip().startswith("{"):
        raise BadUsage(f'--mapping: {path} must hold one object, like {{"0": 1, "1": 0}}')
    for z, from_z in pairs:
        if from_z is not None and (not isinstance(from_z, int) or isinstance(from_z, bool)):
            raise BadUsage(f"--mapping: {path}: expected a whole number or null for slice {z}, got {from_z!r}")
        yield _whole(z, path), from_z


def _csv_pairs(path: str, text: str) -> Iterator[tuple[int, int | None]]:
    rows: Iterator[list[str]] = csv.reader(io.StringIO(text))
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and not any(map(_is_whole, cells))):  # a title
            continue
        if len(cells) != 2:
            raise BadUsage(f"--mapping: {path}, line {number}: expected two columns, got {len(cells)}")
        where = f"{path}, line {number}"
        yield _whole(cells[0], where), _whole(cells[1], where) if cells[1] else None


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _whole(text: Any, where: str) -> int:  # Any: what somebody wrote
    if not isinstance(text, str) or not _is_whole(text.strip()):
        raise BadUsage(f"--mapping: {where}: expected the number of a slice, got {text!r}")
    return int(text)


def _say(slices: range) -> str:
    return f"slices {slices[0]} to {slices[-1]}"
