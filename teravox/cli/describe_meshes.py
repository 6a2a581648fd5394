"""Finds out what there is to know of the meshes of a layer, and of fragments that wait to be merged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.cli.description import Part
from teravox.pipeline.errors import BadInput

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.meshes.forged import Forged

FEW = 16  # shards whose indices are looked at in order to count labels
FRAGMENTS = "teravox_fragments"


def mesh_details(layer: Layer, folder: str) -> Iterator[str]:
    """How many labels have meshes and of how many levels, where a few requests can tell it."""
    from teravox.pipeline.meshes.multires_source import ShardedSource
    from teravox.pipeline.meshes.reading import open_meshes

    try:
        source = open_meshes(layer, folder)
        if not isinstance(source, ShardedSource) or source.spec.shards > FEW:
            return
        found = [one for shard in range(source.spec.shards) for one in source.reader.all_in(shard)]
        yield "1 label" if len(found) == 1 else f"{len(found):,} labels"
        if found:
            largest = max(found, key=lambda one: (one.stop - one.start, -one.number))
            levels = source.levels(largest.number)
            yield "1 level" if levels == 1 else f"up to {levels} levels"
    except BadInput as error:
        yield str(error)


def describe_fragments(layer: Layer) -> Iterator[Part]:
    """What the last finished forge has left."""
    from teravox.pipeline.meshes.forged import forged_key, read_forged
    from teravox.pipeline.meshes.removal.stale import base_dir

    if layer.info.type != "segmentation":
        return
    base = base_dir(layer, None)
    if layer.store.get(forged_key(base)) is None:
        return
    forged = read_forged(layer, base)
    pieces = len(forged.grid)
    dir = "" if base == "mesh" else f" --dir {base}"
    said = [
        f"mip {forged.mip}",
        "1 piece" if pieces == 1 else f"{pieces:,} pieces",
        "merged" if _is_merged(layer, forged) else f"not yet merged: teravox mesh merge {layer.url}{dir}",
    ]
    yield Part(
        what="fragments",
        key=forged.folder,
        found=True,
        type=FRAGMENTS,
        is_sharded=False,
        details=", ".join(said),
    )


def _is_merged(layer: Layer, forged: Forged) -> bool:
    """Whether the meshes that the layer names were made of these fragments, as the plans of merges beside them say."""
    from teravox.pipeline.meshes.merging.plan import read_plan

    if layer.url.startswith(("http://", "https://")):  # which cannot list; who publishes fragments has merged them
        return isinstance(layer.raw.get("mesh"), str)
    plans = (read_plan(layer.store, key) for key in layer.store.list(f"{forged.folder}/merge-"))
    return any(plan is not None and plan.folder == layer.raw.get("mesh") for plan in plans)
