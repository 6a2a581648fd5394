"""Reads a layer once for each of many damaged versions of one of its files, and lives on when that kills it.

Started as `python -m faults.reader`. Each line of its input is JSON, the four arguments of `read_versions`; an edit is
("flip", bit), ("cut", length) or ("remove", 0). It answers with a line of JSON: for each version a word and a text.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from teravox.pipeline.errors import BadInput, TeravoxError
from teravox.pipeline.layers.encodings import NEEDS
from teravox.pipeline.layers.layer import Layer

Edit = tuple[str, int]  # ("flip", bit), ("cut", length) or ("remove", 0)


class Found(NamedTuple):
    """What came of one version.

    `word`: same, other (voxels), black (no voxels but 0), refused, error (no sentence of ours), or died.
    """

    word: str
    text: str


def damaged(whole: bytes, edits: list[Edit]) -> bytes | None:
    """A version of a file; None if it is to be missing."""
    data = bytearray(whole)
    for edit, number in edits:
        if edit == "remove":
            return None
        if edit == "cut":
            del data[number:]
        else:
            data[number // 8] ^= 1 << number % 8
    return bytes(data)


def main() -> None:
    for module in ("teravox.pipeline.layers.chunk_source", *(module for module, _ in NEEDS.values())):
        if find_spec(module):
            import_module(module)  # once, and not again for each question and after each death
    for line in sys.stdin:
        print(json.dumps(read_versions(*json.loads(line))), flush=True)


def read_versions(layer: str, file: str, fill_missing: bool, versions: list[list[Edit]]) -> list[Found]:
    """What comes of reading the layer while the file is damaged in each of these ways, by processes that may die."""
    place = Path(file)
    whole = place.read_bytes()
    found: list[Found] = []
    while len(found) < len(versions):
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            os.close(ours)
            _read_each(layer, place, whole, versions[len(found) :], fill_missing, theirs)
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as lines:
            found += [Found(*json.loads(line)) for line in lines if line.endswith("\n")]
        _, status = os.waitpid(child, 0)
        if status:
            found.append(Found("died", f"status {status}"))
        place.write_bytes(whole)
    return found


def _read_each(
    layer: str, place: Path, whole: bytes, versions: list[list[Edit]], fill_missing: bool, line: int
) -> None:
    expected = _sound_sum(layer, fill_missing)
    for edits in versions:
        data = damaged(whole, edits)
        if data is None:
            place.unlink()
        else:
            place.write_bytes(data)
        found = _look(layer, fill_missing, expected)
        place.write_bytes(whole)
        os.write(line, (json.dumps(found) + "\n").encode())


def _look(layer: str, fill_missing: bool, expected: int | None) -> Found:
    try:
        crc = _read(layer, fill_missing)
    except BadInput as error:
        return Found("refused", str(error))
    except TeravoxError as error:
        return Found("error", f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - that it is one of no sentence is what is looked for
        return Found("error", repr(error))
    return Found("same" if crc == expected else "black" if not crc else "other", "")


def _sound_sum(layer: str, fill_missing: bool) -> int | None:
    try:
        return _read(layer, fill_missing)
    except TeravoxError:  # it is damaged already
        return None


def _read(path: str, fill_missing: bool) -> int:
    """The check sum of all voxels; 0 if all of them are 0."""
    layer = Layer.open(path)
    voxels = layer.read(layer.bounds(0), 0, fill_missing=fill_missing)
    return zlib.crc32(voxels.tobytes()) if voxels.any() else 0


if __name__ == "__main__":
    main()
