"""Writes the meshes of a part in one of Neuroglancer's forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.meshes import legacy_mesh
from teravox.pipeline.meshes.forged import Forged
from teravox.pipeline.meshes.merging.format import Format
from teravox.pipeline.meshes.merging.merge import Merged
from teravox.pipeline.meshes.merging.meshed import Meshed, pack_cells, transform
from teravox.pipeline.objects.part import Part
from teravox.pipeline.objects.plan import Plan
from teravox.pipeline.objects.shard import Entry, shard_parts
from teravox.pipeline.objects.spool import Span, Spool
from teravox.pipeline.store import Compression, Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.mesh.surface import Surface

Json = dict[str, Any]  # JSON may hold anything


def mesh_info(format: Format, plan: Plan, forged: Forged, bits: int) -> Json:
    """The info of the new meshes; teravox and CloudVolume look for the mip in it."""
    if format == "legacy":
        return {"@type": "neuroglancer_legacy_mesh", "mip": forged.mip}
    info = {
        "@type": "neuroglancer_multilod_draco",
        "vertex_quantization_bits": bits,
        "transform": transform(forged),
        "lod_scale_multiplier": 1.0,
        "mip": forged.mip,
    }
    return info | ({"sharding": plan.spec("raw").as_json()} if format == "sharded" else {})


def write_shard(store: Store, plan: Plan, part: Part, merged: Iterator[Merged], forged: Forged, bits: int) -> None:
    """All labels of a part as one shard; none where there are no labels."""
    with Spool() as spool:
        entries = []
        for one in merged:
            meshed = pack_cells(one.label, one.cells, one.octree, bits, forged, spool)
            entries.append(Entry(one.label, spool.put(meshed.manifest.encode()), meshed.fragments))
        if entries:
            store.put_parts(f"{plan.folder}/{plan.shard_name(part)}", shard_parts(entries, plan.spec("raw"), spool))


def write_multires(store: Store, folder: str, merged: Iterator[Merged], forged: Forged, bits: int) -> None:
    """Each label as two objects: its fragments, and then its manifest."""
    for one in merged:
        with Spool() as spool:
            meshed = pack_cells(one.label, one.cells, one.octree, bits, forged, spool)
            store.put_parts(f"{folder}/{one.label}", _fragments(meshed, spool))
        store.put(f"{folder}/{one.label}.index", meshed.manifest.encode())


def write_legacy(
    store: Store, folder: str, merged: Iterator[Merged], forged: Forged, compress: Compression | None
) -> None:
    """Each label as fragments, one for each cell, and then the manifest that names them."""
    for one in merged:
        names: list[str] = []
        for _, _, surface in one.cells:
            names.append(f"{one.label}:0:{len(names)}")
            data = legacy_mesh.encode(nanometres(surface, forged), surface.faces)
            store.put(f"{folder}/{names[-1]}", data, compress=compress)
        manifest = msgspec.json.encode({"fragments": names})
        store.put(f"{folder}/{one.label}:0", manifest, content_type="application/json")


def nanometres(surface: Surface, forged: Forged) -> NDArray[np.float64]:
    """Where the vertices are: the center of voxel i is half a voxel from where it begins."""
    import numpy as np

    return (surface.vertices + 1.0) * (np.array(forged.resolution) / 2)


def label_keys(format: Format, labels: Iterator[int]) -> Iterator[str]:
    """The objects that stand for labels, within the folder; fragments of the legacy form are named in them."""
    for label in labels:
        if format == "legacy":
            yield f"{label}:0"
        else:
            yield str(label)
            yield f"{label}.index"


def _fragments(meshed: Meshed, spool: Spool) -> Iterator[bytes]:
    spans: list[Span] = meshed.fragments
    for span in spans:
        yield spool.get(span)
