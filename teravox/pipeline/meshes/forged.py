"""What forge leaves about itself, so that others find its fragments: LAYER/{dir}.fragments/forged.json."""

from __future__ import annotations

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.fragments import FragmentFile

VERSION = 1


class Forged(msgspec.Struct, frozen=True, kw_only=True):
    """A finished forge. Its surfaces lie in half voxels of the whole volume: the center of voxel i is at 2 i.

    The piece [a, b) has the surfaces from plane 2 a to plane 2 b; their vertices in these planes are those of its
    neighbour. Where the surface is closed at the bounds, the first pieces reach half a voxel below: to 2 a - 1. Vertices
    in the planes 2 (bounds.min + n cell) have stayed in them, and no face goes through such a plane.
    """

    version: int = VERSION
    id: str  # the first 16 digits of the job's id
    dir: str  # of the meshes to be made; the fragments lie in {dir}.fragments/{id}/
    mip: int
    resolution: tuple[float, float, float]  # of the mip, in nanometres
    bounds: Box  # what was meshed, in voxels of the mip
    shape: Vec  # of a piece, in voxels
    cell: Vec  # from one plane to the next, in voxels; the shape is a multiple of it
    max_error: float  # in nanometres; 0 where it was not simplified
    simplify: bool
    open_edge: bool

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
        return FragmentFile.open(layer.store, self.key(piece))


def fragments_folder(dir: str) -> str:
    """Where everything that forge leaves for the meshes of a folder lies, within a layer."""
    return f"{dir}.fragments"


def fragments_key(folder: str, piece: Box) -> str:
    return f"{folder}/{'_'.join(f'{a}-{b}' for a, b in zip(piece.min, piece.max, strict=True))}.frags"


def forged_key(dir: str) -> str:
    return f"{fragments_folder(dir)}/forged.json"


def read_forged(layer: Layer, dir: str) -> Forged:
    """The last finished forge of a layer; BadInput says what to run where there is none, or only an unfinished one."""
    key = forged_key(dir)
    data = layer.store.get(key)
    if data is None:
        again = f"teravox mesh forge {layer.url}"
        if next(iter(layer.store.list(f"{fragments_folder(dir)}/")), None) is not None:
            raise BadInput(
                f"the fragments in {layer.url}/{fragments_folder(dir)} are not complete: give the command that made them "
                f"again, with --resume to do only what is missing ({again} ... --resume)"
            )
        raise BadInput(f"there are no fragments in {layer.url}/{fragments_folder(dir)}: make them with {again}")
    try:
        forged = msgspec.json.decode(data, type=Forged)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{layer.url}/{key} cannot be read: {error}. Run teravox mesh forge again") from None
    if forged.version != VERSION:
        raise BadInput(f"{layer.url}/{key} is of version {forged.version}, and this teravox knows {VERSION}")
    return forged


def write_forged(layer: Layer, forged: Forged) -> None:
    """Let others find a forge that is finished."""
    data = msgspec.json.format(msgspec.json.encode(forged), indent=2) + b"\n"
    layer.store.put(forged_key(forged.dir), data, content_type="application/json")
