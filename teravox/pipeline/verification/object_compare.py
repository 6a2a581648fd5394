"""Compares the labels that have a mesh or a skeleton with those that should have one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from teravox.pipeline.objects.sort import MESH, Sort
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.object_labels import LabelSet, say_labels
from teravox.pipeline.verification.object_shards import list_shards
from teravox.pipeline.verification.shard_index import check_shard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.objects.source import ObjectSource
    from teravox.pipeline.verification.look import Look

    Labels = NDArray[np.uint64]

TOGETHER = 1 << 16  # labels


def open_objects(layer: Layer, sort: Sort, folder: str) -> ObjectSource:
    """The objects in a folder of a layer; BadInput where its info cannot be read."""
    if sort == MESH:
        from teravox.pipeline.meshes.reading import open_meshes

        return open_meshes(layer, folder)
    from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

    return SkeletonSource.open(layer, folder)


def labels_of(look: Look, source: ObjectSource) -> Labels | None:
    """All labels that have an object; None where shards are damaged, so that nobody can say it."""
    import numpy as np

    labels = LabelSet()
    if source.shards is None:
        found = source.labels()
        while some := list(islice(found, TOGETHER)):
            labels.add(np.array(some, np.uint64))
        return labels.sorted()
    files, wrong = list_shards(look, source.shards)
    for file in files:
        shard = check_shard(look.store, file.key, source.shards.spec, file.shard, file.size)
        wrong += shard.findings if shard is not None else []
        labels.add(shard.entries.numbers) if shard is not None else None
    return None if wrong else labels.sorted()


def find_lacking(
    look: Look, source: ObjectSource, sort: Sort, wanted: Labels, have: Labels, said: str
) -> Iterator[Finding]:
    """The labels that should have an object and have none, by the key where it would lie; `said` is what tells of them.

    Objects that are gone and that the ledger knows are passed over: whoever verifies these has told.
    """
    for key, labels in _by_key(source, sort, _without(wanted, have)):
        (known,) = look.makers.recorded([key])
        if known is not None and not look.store.exists([key])[key]:
            continue
        yield Finding("missing", key, f"there is no {sort.one} of {say_labels(labels)}, of which {said} tells")


def find_excess(source: ObjectSource, sort: Sort, wanted: Labels, have: Labels, said: str) -> Iterator[Finding]:
    """The labels that have an object though nothing tells of them."""
    for key, labels in _by_key(source, sort, _without(have, wanted)):
        yield Finding("unlisted", key, f"there is a {sort.one} of {say_labels(labels)}, of which {said} does not tell")


def _without(some: Labels, others: Labels) -> Labels:
    import numpy as np

    return np.setdiff1d(some, others, assume_unique=True)


def _by_key(source: ObjectSource, sort: Sort, labels: Labels) -> Iterator[tuple[str, Labels]]:
    """The keys at which the objects of labels lie, with the labels of each."""
    import numpy as np

    if source.shards is None:
        ending = "" if sort != MESH else ":0" if source.form == "legacy" else ".index"
        for at, label in enumerate(labels.tolist()):
            yield f"{source.folder}/{label}{ending}", labels[at : at + 1]
        return
    shards, _ = source.shards.spec.places(labels)
    for shard in np.unique(shards).tolist():
        yield source.shards.reader.key(shard), labels[shards == np.uint64(shard)]
