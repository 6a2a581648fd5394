"""Finds what teravox has left beside the meshes of a layer: fragments, and earlier results that nothing names any more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.forged import forged_key, read_forged
from teravox.pipeline.meshes.removal.named import going_folder
from teravox.pipeline.meshes.removal.size import say_size
from teravox.pipeline.meshes.result_folder import DIGITS, check_dir, is_ours, stem_of
from teravox.pipeline.storage.folders import remove_folder


class Stale(msgspec.Struct, frozen=True):
    """A folder that can go."""

    folder: str
    what: Literal["fragments", "meshes", "list of labels"]


def base_dir(layer: Layer, dir: str | None) -> str:
    """The name that results and fragments have in common, before their endings."""
    named = layer.raw.get("mesh")
    base = dir or (stem_of(named.strip("/")) if isinstance(named, str) and named.strip("/") else "mesh")
    check_dir(layer, base)
    return base


def find_stale(layer: Layer, base: str, *, keep_fragments: bool) -> list[Stale]:
    """What can go. Results are known by the mark in their info, fragments by the name of their folder."""
    pattern = re.compile(
        rf"({re.escape(base)}(?:_[0-9a-f]{{{DIGITS}}})?)(?:(\.fragments/[0-9a-f]{{16}})|(\.transfer))?/."
    )
    found: set[Stale] = set()
    for key in layer.store.list(base):
        if match := pattern.match(key):
            stem, fragments, transfer = match.groups()
            if fragments:
                found.add(Stale(stem + fragments, "fragments"))
            elif transfer:
                found.add(Stale(stem + transfer, "list of labels"))
            else:
                found.add(Stale(stem, "meshes"))
    kept = _last_forge(layer, base) if keep_fragments else None
    return [
        one
        for one in sorted(found, key=lambda one: one.folder)
        if one.folder != kept
        and (one.what != "meshes" or (is_stale(layer, one.folder) and is_ours(layer.store, one.folder)))
    ]


def is_stale(layer: Layer, folder: str) -> bool:
    """Whether a folder that was found before may still go: nobody has named it since."""
    return folder not in (layer.raw.get("mesh"), going_folder(layer))


def say_stale(layer: Layer, base: str, stale: Sequence[Stale]) -> str:
    """What is going to be lost, as sentences."""
    if not stale:
        return f"There is nothing to clean up beside the meshes in {base} of {layer.url}."
    said = "; ".join(f"{one.what} in {one.folder} ({say_size(layer, one.folder)})" for one in stale)
    last = _last_forge(layer, base)
    gone = any(one.folder == last for one in stale)
    anew = " To merge again, or otherwise, then takes a new mesh forge; --keep-fragments keeps them." if gone else ""
    return (
        f"This removes from {layer.url}, for ever: {said}. No mesh forge, merge or transfer of these meshes may be "
        f"under way.{anew}"
    )


def write_stale(layer: Layer, base: str, stale: Sequence[Stale]) -> None:
    """Note for the tasks what goes. Nobody finds the last forge any more, where its fragments go."""
    layer.store.put(_key(base), msgspec.json.encode(stale), content_type="application/json")
    if any(one.folder == _last_forge(layer, base) for one in stale):
        layer.store.delete([forged_key(base)])


def read_stale(layer: Layer, base: str) -> list[Stale]:
    """What goes, without what somebody has named since; nothing where all has gone."""
    data = layer.store.get(_key(base))
    try:
        stale = [] if data is None else msgspec.json.decode(data, type=list[Stale])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{layer.url}/{_key(base)} cannot be read: {error}. Give the command again") from None
    for one in stale:
        check_dir(layer, one.folder)
    return [one for one in stale if is_stale(layer, one.folder)]


def forget_stale(layer: Layer, base: str) -> None:
    """Remove what is left of all, and the note; safe to repeat."""
    for one in read_stale(layer, base):
        remove_folder(layer.store, one.folder)
    layer.store.delete([_key(base)])


def _key(base: str) -> str:
    return f"{base}.clean.json"


def _last_forge(layer: Layer, base: str) -> str | None:
    """The folder of the last finished forge."""
    try:
        return read_forged(layer, base).folder
    except BadInput:
        return None
