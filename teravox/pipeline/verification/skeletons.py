"""Verifies the skeletons that a layer names, in both of Neuroglancer's forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.result_folder import MARK
from teravox.pipeline.objects.sort import SKELETON
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.object_labels import LabelSet, Sample
from teravox.pipeline.verification.objects_part import ObjectsPart, find_objects
from teravox.pipeline.verification.skeleton_checks import check_skeleton

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.layers.sharding.read import Found
    from teravox.pipeline.skeletons.skeleton_source import ShardedSkeletons, SkeletonSource
    from teravox.pipeline.verification.look import Look
    from teravox.pipeline.verification.object_folder import Place


def find_skeletons(look: Look) -> Iterable[ObjectsPart[SkeletonSource]]:
    """The folder of skeletons that a layer names, if it names one."""
    return find_objects(look, SKELETON, _open, _check)


def _open(layer: Layer, folder: str) -> tuple[dict[str, Any], SkeletonSource]:  # Any: JSON
    from teravox.pipeline.skeletons.skeleton_info import read_skeleton_info
    from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

    _, raw = read_skeleton_info(layer.store, folder)
    return raw, SkeletonSource.open(layer, folder)


def _check(place: Place, source: SkeletonSource, known: set[str]) -> Iterator[Finding]:
    from teravox.pipeline.skeletons.skeleton_source import ShardedSkeletons
    from teravox.pipeline.verification.object_shards import check_shards

    if isinstance(source, ShardedSkeletons):
        yield from check_shards(
            place.look, source.shards, known, lambda found: _check_in_shard(place, source, found), SKELETON.many
        )
    elif not place.look.can_list:
        place.look.counts[f"not checked: the skeletons in {place.folder}, which a web server cannot list"] = 1
    else:
        yield from _check_legacy(place, source)


def _check_legacy(place: Place, source: SkeletonSource) -> Iterator[Finding]:
    import numpy as np

    look = place.look
    all_labels = LabelSet()
    all_labels.add(np.fromiter(source.labels(), np.uint64))
    labels = all_labels.sorted()
    look.counts[SKELETON.many] += len(labels)
    chosen: Sequence[int] = labels.tolist()
    if look.how.sample is not None:
        sample = Sample(look.how.sample, look.how.seed)
        sample.add(labels)
        chosen = sample.chosen()

    def check(label: int) -> list[Finding]:
        key = f"{place.folder}/{label}"
        try:
            data = source.stored(label)
        except BadInput as error:
            return [Finding("undecodable", key, f"the skeleton of label {label}: {error}")]
        return [] if data is None else _check_data(place, source, key, label, data)

    for findings in side_by_side(check, chosen):
        look.step(1)
        look.counts[f"{SKELETON.many} decoded"] += 1
        yield from findings


def _check_in_shard(place: Place, source: ShardedSkeletons, found: Found) -> list[Finding]:
    reader = source.shards.reader
    key = reader.key(found.shard)
    try:
        data = reader.unpack(found, source.shards.read_data(key, found.start, found.stop - found.start))
    except BadInput as error:
        return [Finding("undecodable", key, f"the skeleton of label {found.number}: {error}")]
    return _check_data(place, source, key, found.number, data)


def _check_data(place: Place, source: SkeletonSource, key: str, label: int, data: bytes) -> list[Finding]:
    """What is wrong with the bytes of a skeleton."""
    from teravox.pipeline.skeletons.skeleton_format import decode

    try:
        skeleton = decode(data, source.info.vertex_attributes, source.info.transform)
    except ValueError as error:
        return [Finding("undecodable", key, f"the skeleton of label {label}: {error}")]
    wrong = list(check_skeleton(skeleton, place.space))
    if MARK in place.raw:  # others write empty ones where nothing is left of a label, and may leave out all attributes
        if not len(skeleton.vertices):
            wrong.append("it has no vertices")
        elif len(skeleton.attributes) < len(source.info.vertex_attributes):
            wrong.append("it has none of the attributes that the info tells of")
    return [Finding("wrong", key, f"the skeleton of label {label}: {why}") for why in wrong]
