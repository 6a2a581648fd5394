"""Copies meshes into the legacy form and out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.meshes.legacy_source import LegacySource
from teravox.pipeline.meshes.multires_source import MultiresSource
from teravox.pipeline.objects.copying.plan import missing, refuse_size
from teravox.pipeline.objects.copying.ways import Stored, Thing
from teravox.pipeline.objects.sort import MESH

if TYPE_CHECKING:
    from teravox.pipeline.objects.copying.part import Part
    from teravox.pipeline.objects.copying.plan import Plan

OF_VERTEX, OF_FACE = 300, 120  # bytes that a mesh takes while its fragments are joined
OF_PACKED = 200  # bytes that a byte of Draco becomes, where its head does not say more
OF_BYTE = 16  # bytes that a byte of a legacy mesh takes while it is packed


def pack_legacy(plan: Plan, source: LegacySource, part: Part) -> Iterator[Stored]:
    """Legacy meshes as those of a single level."""
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.meshes.copying.one_level import make_one_level

    scale = max(Layer.open(plan.wish.source).scale(0).resolution)
    for label in plan.labels(part):
        mesh = source.get_within(label, plan.room // OF_BYTE)
        if mesh is None:
            raise missing(source, MESH, label)
        yield Stored(label, *make_one_level(mesh, float(scale)))


def legacy_things(plan: Plan, part: Part) -> Iterator[Thing]:
    """The objects of legacy meshes, of whatever source."""
    source = plan.source
    if isinstance(source, LegacySource):
        for label in plan.labels(part):
            yield from _as_they_are(plan, source, label)
        return
    assert isinstance(source, MultiresSource)  # there are no others
    for label in plan.labels(part):
        yield from _finest(plan, source, label)


def _finest(plan: Plan, source: MultiresSource, label: int) -> Iterator[Thing]:
    """The finest level of a label, decoded."""
    from teravox.pipeline.meshes.legacy_mesh import encode
    from teravox.pipeline.storage.compression import compress

    place = source.find(label)
    if place is None:
        raise missing(source, MESH, label)
    manifest = source.read_manifest(label, place.manifest)
    if not manifest.levels:
        raise missing(source, MESH, label)
    level = manifest.levels[0]
    refuse_size(source, MESH, label, level.size, plan.room // 4)
    data = source.read_data(place.key, place.start, level.size)
    unpacked = _unpacked(data, [fragment.size for fragment in level.fragments])
    refuse_size(source, MESH, label, unpacked, plan.room * 3 // 4)
    mesh = encode(*source.decode(label, manifest, 0, data))
    name = f"{label}:0:mesh"
    said = msgspec.json.encode({"fragments": [name]})
    yield Thing(f"{plan.folder}/{name}", bytes(compress(mesh, "gzip")), "gzip")
    yield Thing(f"{plan.folder}/{label}:0", bytes(compress(said, "gzip")), "gzip")


def _unpacked(data: bytes, sizes: Iterable[int]) -> int:
    """The bytes that fragments take while they are joined."""
    from teravox.pipeline.meshes.draco_counts import count_packed

    need = at = 0
    for size in sizes:
        counts = count_packed(data[at : at + size])
        need += OF_PACKED * size if counts is None else OF_VERTEX * counts[0] + OF_FACE * counts[1]
        at += size
    return need


def _as_they_are(plan: Plan, source: LegacySource, label: int) -> Iterator[Thing]:
    """The objects of a label, without unpacking them."""
    manifest = source.manifest(label)
    if manifest is None:
        raise missing(source, MESH, label)
    for name in (*manifest.fragments, f"{label}:0"):
        stored = source.store.get_stored(f"{source.folder}/{name}")
        if stored is None:
            raise BadInput(f"{source.url}/{name} is missing, though a manifest names it. Forge the meshes again")
        yield Thing(f"{plan.folder}/{name}", *stored)
