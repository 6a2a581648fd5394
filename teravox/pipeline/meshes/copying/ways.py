"""What a copy must know of meshes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from teravox.pipeline.meshes.copying.legacy import legacy_things, pack_legacy
from teravox.pipeline.meshes.copying.one_level import BITS
from teravox.pipeline.meshes.copying.stored import read_shard, read_stored
from teravox.pipeline.meshes.legacy_source import LegacySource
from teravox.pipeline.meshes.mesh_info import IDENTITY, LEGACY, MULTIRES, read_mesh_info
from teravox.pipeline.meshes.multires_source import MultiresSource, ShardedSource
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.objects.copying.ways import Stored, Thing, Ways
from teravox.pipeline.objects.sort import MESH, Sort

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.objects.copying.part import Part
    from teravox.pipeline.objects.copying.plan import Plan
    from teravox.pipeline.objects.source import ObjectSource

OF_THE_SOURCE = ("sharding", "segment_properties", "spatial_index")  # words of the meshes' info
PACKED = 4  # times that Draco makes a mesh smaller, at least


class MeshWays(Ways):
    """How meshes are read and written, in all of their forms."""

    sort: ClassVar[Sort] = MESH

    def open(self, layer: Layer) -> ObjectSource:
        return open_meshes(layer)

    def info(self, plan: Plan) -> Json:
        _, raw = read_mesh_info(plan.source.store, plan.source.folder)
        raw = {word: value for word, value in raw.items() if word not in OF_THE_SOURCE}
        is_legacy = isinstance(plan.source, LegacySource)
        if plan.form == "legacy":
            return raw if is_legacy else {"@type": LEGACY}
        if is_legacy:
            raw = {
                "@type": MULTIRES,
                "vertex_quantization_bits": BITS,
                "lod_scale_multiplier": 1,
                "transform": list(IDENTITY),
            }
        return raw | ({"sharding": plan.spread.as_json()} if plan.form == "sharded" else {})

    def size(self, source: ObjectSource, label: int) -> int:
        if isinstance(source, LegacySource):
            manifest = source.manifest(label)
            return 0 if manifest is None else sum(len(data) for _, data in source.fragments(manifest)) // PACKED
        assert isinstance(source, MultiresSource)  # there are no others
        place = source.find(label)
        return 0 if place is None else len(place.manifest) + source.read_manifest(label, place.manifest).size

    def entries(self, plan: Plan, part: Part) -> Iterator[Stored]:
        """A manifest, before it all fragments."""
        source = plan.source
        if isinstance(source, LegacySource):
            yield from pack_legacy(plan, source, part)
        elif isinstance(source, ShardedSource) and not plan.wish.labels:
            yield from read_shard(source, part.shard, plan.room // 3)
        else:
            assert isinstance(source, MultiresSource)
            yield from read_stored(source, plan.labels(part), plan.room // 3)

    def things(self, plan: Plan, part: Part) -> Iterator[Thing]:
        if plan.form == "legacy":
            yield from legacy_things(plan, part)
            return
        for stored in self.entries(plan, part):
            yield Thing(f"{plan.folder}/{stored.label}", stored.before)
            yield Thing(f"{plan.folder}/{stored.label}.index", stored.data)

    def names(self, form: str, label: int) -> list[str]:
        return [f"{label}:0"] if form == "legacy" else [str(label), f"{label}.index"]
