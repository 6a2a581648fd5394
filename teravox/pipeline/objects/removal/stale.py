"""Finds what teravox has left beside the objects of a layer: fragments, and earlier results that nothing names any more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.forged import forged_key, fragments_folder
from teravox.pipeline.objects.removal.named import going_folder
from teravox.pipeline.objects.removal.size import say_size
from teravox.pipeline.objects.result_folder import DIGITS, check_dir, is_ours, stem_of
from teravox.pipeline.objects.sort import SORTS, Sort
from teravox.pipeline.storage.folders import remove_folder


class Stale(msgspec.Struct, frozen=True):
    """A folder that can go."""

    folder: str
    what: Literal["fragments", "results", "list of labels"]

    def say(self, sort: Sort) -> str:
        """What it is, in words."""
        return sort.many if self.what == "results" else self.what


def base_dir(layer: Layer, sort: Sort, dir: str | None) -> str:
    """The name that results and fragments have in common, before their endings."""
    named = layer.raw.get(sort.word)
    base = dir or (stem_of(named.strip("/")) if isinstance(named, str) and named.strip("/") else sort.one)
    check_dir(layer, sort, base)
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
                found.add(Stale(stem, "results"))
    kept = _last_forge(layer, base) if keep_fragments else None
    return [
        one
        for one in sorted(found, key=lambda one: one.folder)
        if one.folder != kept
        and (one.what != "results" or (is_stale(layer, one.folder) and is_ours(layer.store, one.folder)))
    ]


def is_stale(layer: Layer, folder: str) -> bool:
    """Whether a folder that was found before may still go: nobody has named it since."""
    return all(folder not in (layer.raw.get(sort.word), going_folder(layer, sort)) for sort in SORTS)


def say_stale(layer: Layer, sort: Sort, base: str, stale: Sequence[Stale]) -> str:
    """What is going to be lost, as sentences."""
    if not stale:
        return f"There is nothing to clean up beside the {sort.many} in {base} of {layer.url}."
    said = "; ".join(f"{one.say(sort)} in {one.folder} ({say_size(layer, one.folder)})" for one in stale)
    last = _last_forge(layer, base)
    gone = any(one.folder == last for one in stale)
    anew = (
        f" To merge again, or otherwise, then takes a new {sort.one} forge; --keep-fragments keeps them."
        if gone
        else ""
    )
    return f"This removes from {layer.url}, for ever: {said}.{anew}"


def write_stale(layer: Layer, base: str, stale: Sequence[Stale]) -> None:
    """Note for the tasks what goes. Nobody finds the last forge any more, where its fragments go."""
    layer.store.put(_key(base), msgspec.json.encode(stale), content_type="application/json")
    if any(one.folder == _last_forge(layer, base) for one in stale):
        layer.store.delete([forged_key(base)])


def read_stale(layer: Layer, sort: Sort, base: str) -> list[Stale]:
    """What goes, without what somebody has named since; nothing where all has gone."""
    data = layer.store.get(_key(base))
    try:
        stale = [] if data is None else msgspec.json.decode(data, type=list[Stale])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{layer.url}/{_key(base)} cannot be read: {error}. Give the command again") from None
    for one in stale:
        check_dir(layer, sort, one.folder)
    return [one for one in stale if is_stale(layer, one.folder)]


def forget_stale(layer: Layer, sort: Sort, base: str) -> None:
    """Remove what is left of all, and the note; safe to repeat."""
    for one in read_stale(layer, sort, base):
        remove_folder(layer.store, one.folder)
    layer.store.delete([_key(base)])


def _key(base: str) -> str:
    return f"{base}.clean.json"


class _Id(msgspec.Struct, frozen=True):
    """What names a forge in the note that it leaves."""

    id: str


def _last_forge(layer: Layer, base: str) -> str | None:
    """The folder of the last finished forge."""
    data = layer.store.get(forged_key(base))
    try:
        return None if data is None else f"{fragments_folder(base)}/{msgspec.json.decode(data, type=_Id).id}"
    except (msgspec.DecodeError, UnicodeDecodeError):  # it was damaged, so it names nothing that could be kept
        return None
