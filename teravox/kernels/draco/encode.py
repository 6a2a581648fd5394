"""Packs the faces of a mesh whose vertices are whole numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.draco.breaking import NEW, Walk, walk_over
from teravox.kernels.draco.corners import Faces, are_sound, make_corners
from teravox.kernels.draco.output import Bytes, flush_bits, put_bits, put_bytes, put_number, put_word
from teravox.kernels.draco.places import foretell
from teravox.kernels.draco.rans import put_flags, put_sized
from teravox.kernels.draco.symbols import MOST_VALUE, put_values
from teravox.kernels.draco.valences import put_by_valence
from teravox.kernels.mesh.half_edges import NONE

MOST_BITS = 30  # of a position
MANY = 1000  # faces, from which valences may be worth their tables
EVEN = 2.0  # so many more symbols than bytes for positions: these then take less than 4 bits a face

# The name; version 2.2; a mesh, by Edgebreaker; no metadata.
HEAD = np.frombuffer(b"DRACO\x02\x02\x01\x01\x00\x00", np.uint8)
PLAIN, BY_VALENCE = 0, 2  # forms of Edgebreaker
# One set of attributes: of vertices, in the order of a walk in depth; it has one attribute, the position: 32 bits without a
# sign, in threes, not normalized, number 0; kept as whole numbers, foretold by parallelograms, wrapped around, and coded.
POSITIONS = np.frombuffer(b"\x01\xff\x00\x00\x01\x00\x06\x03\x00\x00\x01\x01\x01\x01", np.uint8)


def encode(points: NDArray[np.uint32], faces: NDArray[np.uint32], bits: int) -> bytes:
    """The bytes of a mesh of at least one face, with positions below 2^bits; ValueError if it cannot be packed.

    A reader gets the same faces, in another order, and the vertices that they use. A vertex at which several surfaces
    touch comes several times, and so may the ends of an edge that has not two faces that agree on the outside.
    """
    places, triples = np.ascontiguousarray(points, np.uint32), np.ascontiguousarray(faces, np.uint32)
    packed = _encode(read_only(places), read_only(triples), bits, MANY, EVEN)
    if not len(packed):
        raise ValueError(_why_not(points, faces, bits))
    return packed.tobytes()


def _why_not(points: NDArray[np.uint32], faces: NDArray[np.uint32], bits: int) -> str:
    if not len(faces):
        return "there are no faces to pack"
    if int(points.max()) >> (bits := min(bits, MOST_BITS)):
        return f"a position of {int(points.max()):,} has more than {bits} bits"
    return "a face has a vertex twice, or one that is not there"


@compiled
def _encode(points: NDArray[np.uint32], faces: Faces, bits: int, many: int, even: float) -> Bytes:
    """The bytes, or none where it cannot be packed."""
    if len(faces) == 0 or not are_sound(points, faces, min(bits, MOST_BITS)):
        return np.empty(0, np.uint8)
    corners = make_corners(points, faces)
    walk = walk_over(corners)
    places = foretell(corners, walk)
    most = 256 + 12 * len(faces) + 24 * corners.vertices
    packed = np.empty(most + MOST_VALUE // 64, np.uint8)  # mostly never touched
    size = put_values(packed, 0, places.misses, 3)
    out = np.empty(most + size, np.uint8)
    at = put_bytes(out, 0, HEAD)
    # Valences take a quarter of the time more, and are worth it on even surfaces alone, where all else takes little space.
    by_valence = len(faces) >= many and len(walk.symbols) > even * size
    out[at] = BY_VALENCE if by_valence else PLAIN
    at = put_number(out, at + 1, corners.vertices)
    at = put_number(out, at, len(faces))
    out[at] = 0  # no attributes of corners
    at = put_number(out, at + 1, len(walk.symbols))
    at = _put_meetings(out, at, walk)
    if not by_valence:
        at = _put_symbols(out, at, walk)
    inner = np.empty(len(walk.middles), np.bool_)
    for i in range(len(inner)):
        inner[i] = walk.middles[i] != NONE
    at = put_flags(out, at, inner)
    if by_valence:
        at = put_by_valence(out, at, corners, walk)
    at = put_bytes(out, put_bytes(out, at, POSITIONS), packed[:size])
    at = put_word(out, at, places.low)
    at = put_word(out, at, places.high)
    return out[:at]


@compiled
def _put_meetings(out: Bytes, at: int, walk: Walk) -> int:
    at = put_number(out, at, walk.forks)
    at = put_number(out, at, len(walk.meetings))
    last = 0
    for i in range(len(walk.meetings)):
        at = put_number(out, at, walk.meetings[i, 0] - last)
        at = put_number(out, at, walk.meetings[i, 0] - walk.meetings[i, 1])
        last = walk.meetings[i, 0]
    held = holds = 0
    for i in range(len(walk.meetings)):
        at, held, holds = put_bits(out, at, held, holds, walk.meetings[i, 2], 1)
    return flush_bits(out, at, held, holds)


@compiled
def _put_symbols(out: Bytes, at: int, walk: Walk) -> int:
    """The symbols as they are, the last one first."""
    coded = np.empty(3 * len(walk.symbols) // 8 + 1, np.uint8)
    size = held = holds = 0
    for i in range(len(walk.symbols) - 1, -1, -1):
        symbol = walk.symbols[i]
        size, held, holds = put_bits(coded, size, held, holds, symbol, 1 if symbol == NEW else 3)
    size = flush_bits(coded, size, held, holds)
    return put_sized(out, at, coded[:size])
