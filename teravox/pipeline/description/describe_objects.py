"""Finds out what there is to know of the meshes and skeletons of a layer, and of fragments that wait to be merged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from teravox.pipeline.description.description import Part
from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.sort import MESH, SKELETON, SORTS, Sort

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.layers.sharding.read import Found
    from teravox.pipeline.objects.forged import Forged
    from teravox.pipeline.objects.shard_folder import ShardFolder

FEW = 16  # shards whose indices are looked at in order to count labels
FRAGMENTS: dict[Sort, tuple[Literal["fragments", "skeleton_fragments"], str]] = {
    MESH: ("fragments", "teravox_fragments"),
    SKELETON: ("skeleton_fragments", "teravox_skeleton_fragments"),
}


def mesh_details(layer: Layer, folder: str) -> Iterator[str]:
    """How many labels have meshes and of how many levels, where a few requests can tell it."""
    from teravox.pipeline.meshes.multires_source import ShardedSource
    from teravox.pipeline.meshes.reading import open_meshes

    try:
        source = open_meshes(layer, folder)
        found = _entries(source.shards)
        if found is None:
            return
        yield _count(len(found), "label")
        if found and isinstance(source, ShardedSource):
            largest = max(found, key=lambda one: (one.stop - one.start, -one.number))
            levels = source.levels(largest.number)
            yield "1 level" if levels == 1 else f"up to {levels} levels"
    except BadInput as error:
        yield str(error)


def skeleton_details(layer: Layer, folder: str) -> Iterator[str]:
    """How many labels have skeletons, where a few requests can tell it."""
    from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

    try:
        found = _entries(SkeletonSource.open(layer, folder).shards)
        if found is not None:
            yield _count(len(found), "label")
    except BadInput as error:
        yield str(error)


def describe_fragments(layer: Layer) -> Iterator[Part]:
    """What the last finished forges have left."""
    from teravox.pipeline.objects.forged import forged_key, read_forged
    from teravox.pipeline.objects.removal.stale import base_dir

    for sort in SORTS if layer.info.type == "segmentation" else ():
        base = base_dir(layer, sort, None)
        if layer.store.get(forged_key(base)) is None:
            continue
        forged = read_forged(layer, sort, base)
        dir = "" if base == sort.one else f" --dir {base}"
        is_merged = _is_merged(layer, sort, forged)
        said = [
            f"mip {forged.mip}",
            _count(len(forged.grid), "piece"),
            "merged" if is_merged else f"not yet merged: teravox {sort.one} merge {layer.url}{dir}",
        ]
        what, type = FRAGMENTS[sort]
        yield Part(what=what, key=forged.folder, found=True, type=type, is_sharded=False, details=", ".join(said))


def _entries(shards: ShardFolder | None) -> list[Found] | None:
    """What lies in shards; None where there are none, or many."""
    if shards is None or shards.spec.shards > FEW:
        return None
    return [one for shard in range(shards.spec.shards) for one in shards.reader.all_in(shard)]


def _count(number: int, one: str) -> str:
    return f"1 {one}" if number == 1 else f"{number:,} {one}s"


def _is_merged(layer: Layer, sort: Sort, forged: Forged) -> bool:
    """Whether the objects that the layer names were made of these fragments, as the plans of merges beside them say."""
    from teravox.pipeline.objects.plan import read_plan

    if layer.url.startswith(("http://", "https://")):  # which cannot list; who publishes fragments has merged them
        return isinstance(layer.raw.get(sort.word), str)
    plans = (read_plan(layer.store, key) for key in layer.store.list(f"{forged.folder}/merge-"))
    return any(plan is not None and plan.folder == layer.raw.get(sort.word) for plan in plans)
