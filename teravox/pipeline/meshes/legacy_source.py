"""Meshes of one resolution: for each label a manifest that names its fragments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.meshes.mesh import Mesh
from teravox.pipeline.meshes.mesh_info import to_nanometres
from teravox.pipeline.meshes.mesh_source import MeshSource
from teravox.pipeline.storage.side_by_side import LANES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MANIFEST = re.compile(r"([0-9]{1,20}):0")


class Manifest(msgspec.Struct, frozen=True):
    """The names of the fragments of a label, in the folder of the meshes."""

    fragments: tuple[str, ...]


class LegacySource(MeshSource):
    """Objects `LABEL:0`, and fragments with whatever names these tell."""

    def labels(self) -> Iterator[int]:
        for key in self.store.list(f"{self.folder}/"):
            if found := _MANIFEST.fullmatch(key.removeprefix(f"{self.folder}/")):
                yield int(found[1])

    def levels(self, label: int) -> int:
        return int(self.manifest(label) is not None)

    def get(self, label: int, level: int = 0) -> Mesh | None:
        return self.get_within(label, None) if level == 0 else None

    def get_within(self, label: int, most: int | None) -> Mesh | None:
        """A mesh; BadInput where its fragments have more than so many bytes."""
        from teravox.kernels.mesh.glue import glue

        manifest = self.manifest(label)
        if manifest is None:
            return None
        parts = []
        size = 0
        for key, data in self.fragments(manifest):
            size += len(data)
            if most is not None and size > most:
                raise BadInput(
                    f"the mesh of label {label} in {self.url} takes more than {most:,} bytes, for which a task has room: "
                    "give it more --memory"
                )
            parts.append(self._decode(key, data))
        vertices, faces = glue(parts)
        return Mesh(*to_nanometres(vertices.astype("f8"), faces, self.info.transform))

    def manifest(self, label: int) -> Manifest | None:
        """Which fragments a label has; None where it has no mesh."""
        key = f"{self.folder}/{label}:0"
        data = self.store.get(key)
        if data is None:
            return None
        try:
            manifest = msgspec.json.decode(data, type=Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{self.store.url}/{key} names no fragments: {error}. Merge the meshes again") from None
        return Manifest(tuple(dict.fromkeys(manifest.fragments)))

    def fragments(self, manifest: Manifest) -> Iterator[tuple[str, bytes]]:
        """The key and the bytes of each fragment, in the order of the manifest."""
        for begin in range(0, len(manifest.fragments), LANES):
            keys = [f"{self.folder}/{name}" for name in manifest.fragments[begin : begin + LANES]]
            found = self.store.get_many(keys)
            for key in keys:
                data = found.pop(key, None)
                if data is None:
                    raise BadInput(
                        f"{self.store.url}/{key} is missing, though a manifest names it. Forge the meshes again"
                    )
                yield key, data

    def _decode(self, key: str, data: bytes) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
        from teravox.pipeline.meshes.legacy_mesh import decode

        try:
            return decode(data)
        except ValueError as error:
            raise BadInput(f"{self.store.url}/{key} cannot be read: {error}. It was damaged; write it again") from None
