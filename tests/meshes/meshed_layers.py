"""Layers with meshes in every form of Neuroglancer, written without our own writers."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from layers.make import Array, Vec, make_layer

from teravox.kernels.mesh.marching import march
from teravox.kernels.mesh.surface import Surface
from teravox.pipeline.meshes.mesh import Mesh

SIZE: Vec = (40, 36, 24)
OFFSET: Vec = (5, -7, 11)
RESOLUTION = (4, 4, 40)
CELL = 16  # voxels of a cell of level 0
LEVELS = 3
BIG = 2**63 + 5
SHARDING = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 0,
    "hash": "murmurhash3_x86_128",
    "minishard_bits": 2,
    "shard_bits": 1,
    "minishard_index_encoding": "gzip",
    "data_encoding": "gzip",
}
FORMS = ("legacy", "multires", "sharded")


class Meshed(NamedTuple):
    """A layer, and the surfaces that its meshes show."""

    path: str
    surfaces: dict[int, Surface]  # in half voxels, as if the layer began at 0

    def mesh(self, label: int) -> Mesh:
        """What is to be read of a label."""
        vertices, faces = self.surfaces[label]
        return Mesh(((vertices + 1) / 2 + OFFSET) * RESOLUTION, faces)


def volume() -> Array:
    """A ball, a slab with a label above 2^63, and a lone voxel."""
    voxels = np.zeros(SIZE, np.uint64, order="F")
    x, y, z = np.ogrid[: SIZE[0], : SIZE[1], : SIZE[2]]
    voxels[(x - 18) ** 2 + (y - 17) ** 2 + (z - 12) ** 2 < 110] = 7
    voxels[32:38, 3:30, 4:20] = BIG
    voxels[2, 2, 2] = 300
    return voxels


def make_meshed(folder: Path, form: str, *, bits: int = 16, mesh: str = "mesh") -> Meshed:
    """A segmentation and its meshes."""
    voxels = volume()
    path = make_layer(
        folder, voxels[..., None], chunk=(16, 16, 16), offset=OFFSET, type="segmentation", resolution=RESOLUTION
    )
    surfaces = {label: surface.moved((-2, -2, -2)) for label, surface in march(np.pad(voxels, 1))}
    made = Meshed(path, surfaces)
    files = _legacy(made) if form == "legacy" else _multires(surfaces, bits, sharded=form == "sharded")
    (folder / mesh).mkdir()
    for name, data in files.items():
        (folder / mesh / name).write_bytes(data)
    info = json.loads((folder / "info").read_text())
    (folder / "info").write_text(json.dumps(info | {"mesh": mesh}))
    return made


def triangles(mesh: Mesh) -> set[Any]:  # of frozen arrays of whole numbers
    """The triangles of a mesh by the places of their corners, to a hundredth of a voxel; each from its least corner on."""
    places = np.rint(mesh.vertices / RESOLUTION * 100).astype(int)
    return {_turned([tuple(corner) for corner in corners]) for corners in places[mesh.faces].tolist()}


def _turned(corners: list[Any]) -> Any:  # triples of triples
    first = corners.index(min(corners))
    return tuple(corners[first:] + corners[:first])


def _legacy(made: Meshed) -> dict[str, bytes]:
    """Each mesh in two fragments, of which one is gzipped."""
    files = {"info": json.dumps({"@type": "neuroglancer_legacy_mesh"}).encode()}
    for label in made.surfaces:
        vertices, faces = made.mesh(label)
        names = [f"{label}:0:low", f"{label}:0:high"]
        files[f"{label}:0"] = json.dumps({"fragments": names}).encode()
        for name, some, ending in zip(names, (faces[::2], faces[1::2]), ("", ".gz"), strict=True):
            used, own = np.unique(some, return_inverse=True)
            data = struct.pack("<I", len(used)) + vertices[used].astype("<f4").tobytes() + own.astype("<u4").tobytes()
            files[name + ending] = gzip.compress(data) if ending else data
    return files


def _multires(surfaces: dict[int, Surface], bits: int, *, sharded: bool) -> dict[str, bytes]:
    transform = [
        number
        for axis, (step, first) in enumerate(zip(RESOLUTION, OFFSET, strict=True))
        for number in (*(step * (axis == other) for other in range(3)), (first + 0.5) * step)
    ]
    info: dict[str, Any] = {  # JSON
        "@type": "neuroglancer_multilod_draco",
        "vertex_quantization_bits": bits,
        "lod_scale_multiplier": 1,
        "transform": transform,
    }
    packed = {label: _pack(surface, bits) for label, surface in surfaces.items()}
    if not sharded:
        files = {"info": json.dumps(info).encode()}
        for label, (manifest, data) in packed.items():
            files[f"{label}.index"] = manifest
            files[str(label)] = data
        return files
    from cloudvolume.datasource.precomputed.sharding import ShardingSpecification

    spec = ShardingSpecification.from_dict(SHARDING)
    files = {"info": json.dumps(info | {"sharding": SHARDING}).encode()}
    groups: dict[str, list[int]] = {}
    for label in packed:
        groups.setdefault(spec.compute_shard_location(np.uint64(label)).shard_number, []).append(label)
    for shard, labels in groups.items():
        data = _synthesize(spec, {label: packed[label] for label in labels})
        files[f"{shard}.shard"] = data
    return files


def _synthesize(spec: Any, packed: dict[int, tuple[bytes, bytes]]) -> bytes:  # of CloudVolume, without types
    """A shard as the specification has it: fragments, then the gzipped manifest to which the index points."""
    body = bytearray()
    minishards: dict[int, list[tuple[int, int, int]]] = {}
    for label in sorted(packed):
        manifest, data = packed[label]
        stored = gzip.compress(manifest)
        place = spec.compute_shard_location(np.uint64(label))
        minishards.setdefault(int(place.minishard_number), []).append((label, len(body) + len(data), len(stored)))
        body += data + stored
    index = np.zeros((4, 2), "<u8")
    for number, rows in minishards.items():
        table = np.array(rows, "<u8").T
        ends = table[1] + table[2]
        table[1, 1:] -= ends[:-1]
        table[0, 1:] = np.diff(table[0])
        said = gzip.compress(table.tobytes())
        index[number] = len(body), len(body) + len(said)
        body += said
    return index.tobytes() + bytes(body)


def _pack(surface: Surface, bits: int) -> tuple[bytes, bytes]:
    """The manifest and the fragments of a mesh that is the same at all levels."""
    origin = np.array([-16, -16, -16])  # voxels
    halves = surface.vertices - 2 * origin
    data = b""
    levels = []
    for level in range(LEVELS):
        size = 2 * CELL << level
        cells = halves[surface.faces].min(axis=1) // size
        found = []
        for cell in sorted(set(map(tuple, cells.tolist()))):
            faces = surface.faces[(cells == cell).all(axis=1)]
            used, own = np.unique(faces, return_inverse=True)
            inside = (halves[used] / size - cell) * ((1 << bits) - 1)
            fragment = _draco(np.rint(inside).astype(np.uint32), own.reshape(-1, 3).astype(np.uint32), bits)
            found.append((*cell, len(fragment)))
            data += fragment
        found.append((20, 20, 20, 0))  # an empty one
        levels.append(np.array(found, "<u4"))
    head = struct.pack("<6fI", CELL, CELL, CELL, *origin, LEVELS) + np.array([1, 2, 4], "<f4").tobytes()
    head += np.zeros((LEVELS, 3), "<f4").tobytes() + np.array([len(rows) for rows in levels], "<u4").tobytes()
    return head + b"".join(np.ascontiguousarray(rows.T).tobytes() for rows in levels), data


def _draco(points: Any, faces: Any, bits: int) -> bytes:  # arrays
    import DracoPy

    return bytes(DracoPy.encode(points, faces, quantization_bits=bits, compression_level=7))
