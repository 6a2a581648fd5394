"""GLB, the binary form of glTF 2.0: coordinates in 32 bits around the middle of the mesh, which is a node's place."""

from __future__ import annotations

import struct

import msgspec

from teravox.pipeline.meshes.mesh import Mesh

MAGIC, VERSION = 0x46546C67, 2
JSON, BINARY = 0x4E4F534A, 0x004E4942
FLOAT, UNSIGNED_INT = 5126, 5125
VERTICES, INDICES = 34962, 34963


def encode(mesh: Mesh, unit: str) -> bytes:
    """The bytes of the file; coordinates are in the unit that is asked for, though glTF takes them for metres."""
    import numpy as np

    low, high = (mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)) if len(mesh.vertices) else (np.zeros(3),) * 2
    middle = np.round((low + high) / 2)
    positions = np.ascontiguousarray(mesh.vertices - middle, "<f4")
    indices = np.ascontiguousarray(mesh.faces, "<u4")
    asset = {"version": "2.0", "generator": "teravox", "extras": {"unit": unit}}
    said: dict[str, object] = {"asset": asset, "scene": 0, "scenes": [{"nodes": []}]}
    if len(indices):  # glTF has no empty meshes
        said |= {
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "translation": middle.tolist()}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
            "accessors": [
                {
                    "bufferView": 0,
                    "componentType": FLOAT,
                    "count": len(positions),
                    "type": "VEC3",
                    "min": positions.min(axis=0).tolist(),
                    "max": positions.max(axis=0).tolist(),
                },
                {"bufferView": 1, "componentType": UNSIGNED_INT, "count": indices.size, "type": "SCALAR"},
            ],
            "bufferViews": [
                {"buffer": 0, "byteLength": positions.nbytes, "target": VERTICES},
                {"buffer": 0, "byteOffset": positions.nbytes, "byteLength": indices.nbytes, "target": INDICES},
            ],
            "buffers": [{"byteLength": positions.nbytes + indices.nbytes}],
        }
    words = msgspec.json.encode(said)
    chunks = [_chunk(JSON, words + b" " * (-len(words) % 4))]
    if len(indices):
        chunks.append(_chunk(BINARY, positions.tobytes() + indices.tobytes()))
    body = b"".join(chunks)
    return struct.pack("<III", MAGIC, VERSION, 12 + len(body)) + body


def _chunk(sort: int, data: bytes) -> bytes:
    return struct.pack("<II", len(data), sort) + data
