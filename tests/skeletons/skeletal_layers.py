"""Layers with skeletons in both forms of Neuroglancer, written by CloudVolume."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from layers.make import Array, Vec, make_layer

SIZE: Vec = (40, 36, 24)
OFFSET: Vec = (5, -7, 11)
RESOLUTION = (4, 4, 40)
BIG = 2**63 + 5
FORMS = ("legacy", "sharded")
ATTRIBUTES: list[dict[str, Any]] = [  # JSON
    {"id": "radius", "data_type": "float32", "num_components": 1},
    {"id": "vertex_types", "data_type": "uint8", "num_components": 1},
    {"id": "cross_sectional_area", "data_type": "float32", "num_components": 1},
    {"id": "hue", "data_type": "uint16", "num_components": 3},
]
SHARDING = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 0,
    "hash": "murmurhash3_x86_128",
    "minishard_bits": 2,
    "shard_bits": 1,
    "minishard_index_encoding": "gzip",
    "data_encoding": "gzip",
}


class Lines(NamedTuple):
    """A skeleton in nanometres, and what is known of its vertices."""

    vertices: Array
    edges: Array
    attributes: dict[str, Array]


class Skeletal(NamedTuple):
    """A layer, and the skeletons that it has."""

    path: str
    skeletons: dict[int, Lines]


def lines(vertices: Any, edges: Any, seed: int = 0) -> Lines:  # lists of numbers
    """A skeleton with random attributes; vertices are told in voxels of the layer."""
    random = np.random.default_rng(seed)
    places = ((np.array(vertices, float) + OFFSET + 0.5) * RESOLUTION).astype("f4")
    count = len(places)
    attributes = {
        "radius": random.uniform(1, 90, count).astype("f4"),
        "vertex_types": random.integers(0, 4, count).astype("u1"),
        "cross_sectional_area": random.uniform(-5, 1e5, count).astype("f4"),
        "hue": random.integers(0, 2**16, (count, 3)).astype("u2"),
    }
    return Lines(places, np.array(edges, "u4").reshape(-1, 2), attributes)


def some_skeletons() -> dict[int, Lines]:
    """A wire, a tree in two parts, a ring with a tail, and a lone vertex."""
    wire = [(x, 17, 12) for x in range(2, 38)]
    tree = [(5, 5, 5), (6, 6, 5), (7, 7, 6), (7, 8, 6), (8, 7, 6), (20, 20, 20), (21, 21, 20)]
    ring = [(10, 10, 3), (12, 10, 3), (12, 12, 3), (10, 12, 3), (9, 13, 3)]
    return {
        7: lines(wire, [(n, n + 1) for n in range(len(wire) - 1)], 1),
        300: lines(tree, [(1, 0), (1, 2), (2, 3), (4, 2), (5, 6)], 2),
        BIG: lines(ring, [(0, 1), (1, 2), (2, 3), (3, 0), (3, 4)], 3),
        12: lines([(1, 2, 3)], [], 4),
    }


def make_skeletal(
    folder: Path,
    form: str,
    *,
    skeletons: dict[int, Lines] | None = None,
    name: str = "skeletons",
    attributes: list[dict[str, Any]] = ATTRIBUTES,
) -> Skeletal:
    """A segmentation and its skeletons, with these attributes of theirs."""
    from cloudvolume import CloudVolume

    skeletons = some_skeletons() if skeletons is None else skeletons
    path = make_empty(folder)
    info = json.loads((folder / "info").read_text())
    (folder / "info").write_text(json.dumps(info | {"skeletons": name}))
    said: dict[str, Any] = {  # JSON
        "@type": "neuroglancer_skeletons",
        "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
        "vertex_attributes": attributes,
    }
    (folder / name).mkdir()
    (folder / name / "info").write_text(json.dumps(said | ({"sharding": SHARDING} if form == "sharded" else {})))
    ready = {label: _osteoid(label, one, attributes) for label, one in skeletons.items()}
    if form == "sharded":
        _write_shards(folder / name, ready)
    elif ready:
        CloudVolume(f"file://{path}", progress=False).skeleton.upload(list(ready.values()))
    return Skeletal(path, skeletons)


def make_empty(folder: Path) -> str:
    """A segmentation without skeletons, where they can go."""
    voxels = np.zeros((*SIZE, 1), np.uint64)
    return make_layer(folder, voxels, chunk=(16, 16, 16), offset=OFFSET, type="segmentation", resolution=RESOLUTION)


def _osteoid(label: int, one: Lines, attributes: list[dict[str, Any]]) -> Any:  # of CloudVolume, without types
    from cloudvolume import Skeleton

    skeleton = Skeleton(one.vertices, one.edges, segid=label, extra_attributes=attributes, space="physical")
    for attribute in attributes:
        setattr(skeleton, attribute["id"], one.attributes[attribute["id"]])
    return skeleton


def _write_shards(folder: Path, ready: dict[int, Any]) -> None:  # of CloudVolume, without types
    from cloudvolume.datasource.precomputed.sharding import ShardingSpecification

    spec = ShardingSpecification.from_dict(SHARDING)
    data = {label: skeleton.to_precomputed() for label, skeleton in ready.items()}
    for name, shard in spec.synthesize_shards(data).items():
        (folder / name).write_bytes(shard)
