"""Checks meshes of several levels of detail in objects of their own: LABEL.index and LABEL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.object_labels import LabelSet, Sample

if TYPE_CHECKING:
    from teravox.pipeline.meshes.multires_source import UnshardedSource
    from teravox.pipeline.verification.mesh_multires import MultiresChecker
    from teravox.pipeline.verification.object_folder import Place

_NAME = re.compile(r"([0-9]{1,20})(\.index)?")
TOGETHER = 1 << 16  # names that are sorted in at once


def check_unsharded(place: Place, source: UnshardedSource, checker: MultiresChecker) -> Iterator[Finding]:
    """What is wrong in a folder of such meshes."""
    import numpy as np

    look, folder = place.look, place.folder
    if not look.can_list:
        look.counts[f"not checked: the meshes in {folder}, which a web server cannot list"] = 1
        return
    data, manifests = (labels.sorted() for labels in _list(place))
    for label in np.setdiff1d(manifests, data, assume_unique=True).tolist():
        yield Finding("missing", f"{folder}/{label}", f"the mesh of label {label} has a manifest, and no fragments")
    for label in np.setdiff1d(data, manifests, assume_unique=True).tolist():
        yield Finding("missing", f"{folder}/{label}.index", f"the mesh of label {label} has fragments, and no manifest")
    both = np.intersect1d(data, manifests, assume_unique=True)
    look.counts["meshes"] += len(both)
    chosen: Sequence[int] = both.tolist()
    if look.how.sample is not None:
        sample = Sample(look.how.sample, look.how.seed)
        sample.add(both)
        chosen = sample.chosen()
    for findings in side_by_side(lambda label: _check(place, source, checker, label), chosen):
        look.step(1)
        look.counts["meshes decoded"] += 1
        yield from findings


def _list(place: Place) -> tuple[LabelSet, LabelSet]:
    """The labels that have data, and those that have a manifest."""
    import numpy as np

    data, manifests = LabelSet(), LabelSet()
    waiting: tuple[list[int], list[int]] = ([], [])

    def settle() -> None:
        for labels, some in zip((data, manifests), waiting, strict=True):
            labels.add(np.array(some, np.uint64))
            some.clear()

    prefix = f"{place.folder}/"
    for key in place.look.store.list(prefix):
        if match := _NAME.fullmatch(key.removeprefix(prefix)):
            waiting[match[2] is not None].append(int(match[1]))
            if sum(map(len, waiting)) >= TOGETHER:
                settle()
    settle()
    return data, manifests


def _check(place: Place, source: UnshardedSource, checker: MultiresChecker, label: int) -> list[Finding]:
    key = f"{place.folder}/{label}"
    try:
        found = source.find(label)
        if found is None:
            return []  # it has gone since it was listed
        findings = list(checker.check(label, f"{key}.index", found))
        if not findings:
            size = source.read_manifest(label, found.manifest).size
            if place.look.store.get_range(key, size, size + 1):
                why = f"it goes on behind byte {size:,}, where the manifest of label {label} says that it ends"
                findings.append(Finding("wrong", key, why))
    except BadInput as error:  # such as fragments that are stored compressed, or a manifest cut off within gzip
        return [Finding("undecodable", f"{key}.index", f"the mesh of label {label}: {error}")]
    return findings
