"""Checks meshes of one resolution: manifests against the fragments that they name, both ways, and what these hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.key_hash import hash_key
from teravox.pipeline.verification.object_labels import LabelSet, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.meshes.legacy_source import LegacySource, Manifest
    from teravox.pipeline.verification.object_folder import Place

    Labels = NDArray[np.uint64]

_OF_A_LABEL = re.compile(r"([0-9]{1,20}):(.+)")  # LABEL:0 is a manifest, and LABEL:0:WHATEVER usually a fragment
TOGETHER = 1024  # labels whose manifests are read before the next ones
_WRAP = 1 << 64


class _Listed(NamedTuple):
    labels: LabelSet  # that have a manifest
    names: LabelSet  # of everything, hashed
    fragments: int  # that are named as fragments usually are


class LegacyCheck:
    """Goes through a folder of meshes."""

    def __init__(self, place: Place, source: LegacySource, *, closed: bool) -> None:
        self._place = place
        self._source = source
        self._closed = closed
        self._look = place.look

    def run(self) -> Iterator[Finding]:
        if not self._look.can_list:
            self._look.counts[f"not checked: the meshes in {self._place.folder}, which a web server cannot list"] = 1
            return
        listed = self._list()
        labels, names, named = listed.labels.sorted(), listed.names.sorted(), LabelSet()
        sample = None if self._look.how.sample is None else Sample(self._look.how.sample, self._look.how.seed)
        for first in range(0, len(labels), TOGETHER):
            some = labels[first : first + TOGETHER]
            good, findings = self._check_manifests(some, names, named)
            yield from findings
            if sample is None:
                yield from self._check_surfaces(good)
            else:
                sample.add(_array(good))
        if sample is not None:
            yield from self._check_surfaces(sample.chosen())
        if len(named.sorted()) < listed.fragments:
            yield from self._find_orphans(labels, named.sorted())

    def _list(self) -> _Listed:
        import numpy as np

        labels, names, fragments = LabelSet(), LabelSet(), 0
        wait: list[int] = []
        found: list[int] = []
        for name in self._names():
            wait.append(hash_key(name))
            match = _OF_A_LABEL.fullmatch(name)
            if match and match[2] == "0":
                found.append(int(match[1]))
            elif match:
                fragments += 1
            if len(wait) >= TOGETHER:
                names.add(_array(wait))
                labels.add(_array(found))
                wait, found = [], []
        names.add(_array(wait))
        labels.add(np.array(found, np.uint64))
        return _Listed(labels, names, fragments)

    def _names(self) -> Iterator[str]:
        folder = f"{self._place.folder}/"
        names = (key.removeprefix(folder) for key in self._look.store.list(folder))
        return (name for name in names if "/" not in name)

    def _check_manifests(self, some: Labels, names: Labels, named: LabelSet) -> tuple[list[int], list[Finding]]:
        """Which labels have all that their manifests name, and what is wrong with the others."""
        good, findings = [], []
        for label, manifest in side_by_side(self._read, some.tolist()):
            self._look.step(1)
            self._look.counts["meshes"] += 1
            key = f"{self._place.folder}/{label}:0"
            if isinstance(manifest, BadInput):
                findings.append(Finding("invalid", key, f"the manifest of label {label}: {manifest}"))
                continue
            hashes = _array([hash_key(name) for name in manifest.fragments])
            named.add(hashes)
            missing = [
                name for name, there in zip(manifest.fragments, _are_in(hashes, names), strict=True) if not there
            ]
            why = f"the manifest of label {label} names it as a part of the mesh"
            findings += [Finding("missing", f"{self._place.folder}/{name}", why) for name in missing]
            if not manifest.fragments:
                findings.append(Finding("wrong", key, f"the manifest of label {label} names no fragments"))
            elif not missing:
                good.append(label)
        return good, findings

    def _read(self, label: int) -> tuple[int, Manifest | BadInput]:
        try:
            manifest = self._source.manifest(label)
        except BadInput as error:
            return label, error
        return label, manifest or BadInput("it was there when the folder was listed, and has gone since")

    def _check_surfaces(self, labels: Sequence[int]) -> Iterator[Finding]:
        for findings in side_by_side(self._check_surface, labels):
            self._look.counts["meshes decoded"] += 1
            yield from findings

    def _check_surface(self, label: int) -> list[Finding]:
        """What the fragments of a label hold."""
        from teravox.pipeline.meshes.legacy_mesh import decode
        from teravox.pipeline.meshes.mesh_info import to_nanometres

        findings: list[Finding] = []
        total = 0
        _, manifest = self._read(label)
        for name in () if isinstance(manifest, BadInput) else manifest.fragments:
            key = f"{self._place.folder}/{name}"
            try:
                data = self._look.store.get(key)
                if data is None:
                    continue  # it has gone since it was listed
                vertices, faces = decode(data)
            except (BadInput, ValueError) as error:
                findings.append(Finding("undecodable", key, f"the mesh of label {label}: {error}"))
                continue
            places, _ = to_nanometres(vertices.astype("f8"), faces, self._source.info.transform)
            wrong = list(self._place.space.check_inside(places))
            findings += [Finding("wrong", key, f"the mesh of label {label}: {why}") for why in wrong]
            total += self._edges(vertices, faces)
        if self._closed and not findings and total % _WRAP:
            why = f"the surface of label {label} is not closed, and it was when it was written"
            findings.append(Finding("wrong", f"{self._place.folder}/{label}:0", why))
        return findings

    def _edges(self, vertices: NDArray[np.float32], faces: NDArray[np.uint32]) -> int:
        import numpy as np

        from teravox.kernels.mesh.lattice import edge_sum

        if not self._closed:
            return 0
        points = np.ascontiguousarray(vertices + np.float32(0)).view(np.uint32)  # so that -0 and 0 are one place
        return edge_sum(points, np.ascontiguousarray(faces), np.zeros(3, np.int64))

    def _find_orphans(self, labels: Labels, named: Labels) -> Iterator[Finding]:
        """The fragments that no manifest names; those of a label without one are told of together."""
        without = LabelSet()
        for name in self._names():
            match = _OF_A_LABEL.fullmatch(name)
            if not match or match[2] == "0" or _are_in(_array([hash_key(name)]), named)[0]:
                continue
            label = int(match[1])
            if _are_in(_array([label]), labels)[0]:
                why = f"it is named as a fragment of label {label}, and no manifest tells of it"
                yield Finding("unlisted", f"{self._place.folder}/{name}", why)
            else:
                without.add(_array([label]))
        for label in without.sorted().tolist():
            why = f"there are fragments of label {label}, and no manifest that names them"
            yield Finding("missing", f"{self._place.folder}/{label}:0", why)


def _array(numbers: Sequence[int]) -> Labels:
    import numpy as np

    return np.array(numbers, np.uint64)


def _are_in(some: Labels, ordered: Labels) -> list[bool]:
    """Which numbers are among others that are in ascending order."""
    import numpy as np

    if not len(ordered):
        return [False] * len(some)
    at = np.minimum(np.searchsorted(ordered, some), len(ordered) - 1)
    return [bool(one) for one in ordered[at] == some]
