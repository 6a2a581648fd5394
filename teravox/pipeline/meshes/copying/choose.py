"""Into how many parts the labels of a copy are divided, so that tasks and shards are of a good size."""

from __future__ import annotations

from collections.abc import Sequence

from teravox.pipeline.meshes.legacy_source import LegacySource
from teravox.pipeline.meshes.mesh_info import Form
from teravox.pipeline.meshes.mesh_source import MeshSource
from teravox.pipeline.meshes.multires_source import MultiresSource

SAMPLES = 16  # meshes that are looked at for their size
PACKED = 4  # times that Draco makes a mesh smaller, at least
LARGEST = 1_000_000_000  # bytes of a shard, about: few meshes are looked at
IN_A_SHARD = 20_000  # labels, so that the index of a minishard stays small
IN_A_PIECE = 1_000  # labels that one task copies, where there are no shards


def choose_bits(source: MeshSource, labels: Sequence[int], form: Form) -> int:
    """How many bits the number of a part has."""
    bits = 0
    if form != "sharded":
        while len(labels) >> bits > IN_A_PIECE:
            bits += 1
        return bits
    ordered = sorted(labels)
    seen = [ordered[at * len(ordered) // SAMPLES] for at in range(SAMPLES)] if len(ordered) > SAMPLES else ordered
    total = sum(_size(source, label) for label in seen) * len(ordered) // max(1, len(seen))
    while len(ordered) >> bits > IN_A_SHARD or total >> bits > LARGEST:
        bits += 1
    return bits


def _size(source: MeshSource, label: int) -> int:
    """About how many bytes a mesh will take in a shard."""
    if isinstance(source, LegacySource):
        manifest = source.manifest(label)
        return 0 if manifest is None else sum(len(data) for _, data in source.fragments(manifest)) // PACKED
    assert isinstance(source, MultiresSource)  # there are no others
    place = source.find(label)
    return 0 if place is None else len(place.manifest) + source.read_manifest(label, place.manifest).size
