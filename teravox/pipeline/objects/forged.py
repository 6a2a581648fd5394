"""What forge leaves about itself, so that others find its fragments: LAYER/{dir}.fragments/forged.json."""

from __future__ import annotations

from typing import ClassVar, TypeVar, overload

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.fragments import FragmentFile
from teravox.pipeline.objects.sort import Sort

VERSION = 1


class Forged(msgspec.Struct, frozen=True, kw_only=True):
    """A finished forge, as far as meshes and skeletons say the same of theirs."""

    sort: ClassVar[Sort]  # which the two say

    version: int = VERSION
    id: str  # the first 16 digits of the job's id
    dir: str  # of the objects to be made; the fragments lie in {dir}.fragments/{id}/
    mip: int
    resolution: tuple[float, float, float]  # of the mip, in nanometres
    bounds: Box  # what was forged, in voxels of the mip
    shape: Vec  # of a piece, in voxels

    @property
    def folder(self) -> str:
        """Where the fragments lie, within the layer."""
        return f"{fragments_folder(self.dir)}/{self.id}"

    @property
    def grid(self) -> Grid:
        """The pieces."""
        return Grid(self.bounds, self.shape)

    def key(self, piece: Box) -> str:
        """The key of a piece's fragments, within the layer."""
        return fragments_key(self.folder, piece)

    def open(self, layer: Layer, piece: Box) -> FragmentFile:
        """The head of a piece's fragments; BadInput if they are missing or damaged."""
        return FragmentFile.open(layer.store, self.key(piece), self.sort)


F = TypeVar("F", bound=Forged)


def fragments_folder(dir: str) -> str:
    """Where everything that forge leaves for the objects of a folder lies, within a layer."""
    return f"{dir}.fragments"


def fragments_key(folder: str, piece: Box) -> str:
    return f"{folder}/{'_'.join(f'{a}-{b}' for a, b in zip(piece.min, piece.max, strict=True))}.frags"


def forged_key(dir: str) -> str:
    return f"{fragments_folder(dir)}/forged.json"


@overload
def read_forged(layer: Layer, sort: Sort, dir: str) -> Forged: ...
@overload
def read_forged(layer: Layer, sort: Sort, dir: str, type: type[F]) -> F: ...
def read_forged(layer: Layer, sort: Sort, dir: str, type: type[Forged] = Forged) -> Forged:
    """The last finished forge of a layer; BadInput says what to run where there is none, or only an unfinished one.

    `type` is what the sort says of itself; without it only what both say is read.
    """
    key = forged_key(dir)
    data = layer.store.get(key)
    if data is None:
        again = f"teravox {sort.one} forge {layer.url}"
        if next(iter(layer.store.list(f"{fragments_folder(dir)}/")), None) is not None:
            raise BadInput(
                f"the fragments in {layer.url}/{fragments_folder(dir)} are not complete: give the command that made them "
                f"again, with --resume to do only what is missing ({again} ... --resume)"
            )
        raise BadInput(f"there are no fragments in {layer.url}/{fragments_folder(dir)}: make them with {again}")
    try:
        forged = msgspec.json.decode(data, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{layer.url}/{key} cannot be read: {error}. Run teravox {sort.one} forge again") from None
    if forged.version != VERSION:
        raise BadInput(f"{layer.url}/{key} is of version {forged.version}, and this teravox knows {VERSION}")
    return forged


def write_forged(layer: Layer, forged: Forged) -> None:
    """Let others find a forge that is finished."""
    data = msgspec.json.format(msgspec.json.encode(forged), indent=2) + b"\n"
    layer.store.put(forged_key(forged.dir), data, content_type="application/json")
