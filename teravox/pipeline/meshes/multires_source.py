"""Meshes of several levels of detail: for each label a manifest, and fragments one behind the other."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.sharding.read import Found
from teravox.pipeline.meshes.mesh import Mesh
from teravox.pipeline.meshes.mesh_info import MeshInfo, spec_of, to_nanometres
from teravox.pipeline.meshes.mesh_source import MeshSource
from teravox.pipeline.objects.shard_folder import ShardFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.meshes.merging.manifest import Manifest
    from teravox.pipeline.store import Store

_MANIFEST = re.compile(r"([0-9]{1,20})\.index")


class Place(NamedTuple):
    """Where a mesh lies: its manifest, and the key and the first byte of its fragments."""

    manifest: bytes
    key: str
    start: int


class MultiresSource(MeshSource):
    """What sharded meshes and those in objects of their own have in common."""

    @abstractmethod
    def find(self, label: int) -> Place | None:
        """Where a mesh lies; None where there is none."""

    def levels(self, label: int) -> int:
        place = self.find(label)
        return 0 if place is None else len(self.read_manifest(label, place.manifest).levels)

    def get(self, label: int, level: int = 0) -> Mesh | None:
        place = self.find(label)
        if place is None:
            return None
        manifest = self.read_manifest(label, place.manifest)
        if not 0 <= level < len(manifest.levels):
            return None
        start = place.start + sum(finer.size for finer in manifest.levels[:level])
        return self.decode(label, manifest, level, self.read_data(place.key, start, manifest.levels[level].size))

    def decode(self, label: int, manifest: Manifest, level: int, data: bytes) -> Mesh:
        """One level out of its bytes. Vertices of fragments that are equal on their common lattice become one."""
        import numpy as np

        from teravox.kernels.mesh.glue import glue

        most = (1 << self.info.vertex_quantization_bits) - 1
        said = manifest.levels[level]
        parts = []
        at = 0
        for cell, size in said.fragments:
            if size:  # an empty one only says that there are finer ones
                vertices, faces = self._decode(label, data[at : at + size])
                parts.append((vertices.astype("i8") + np.array(cell, "i8") * most, faces))
            at += size
        lattice, faces = glue(parts)
        step = np.array(manifest.chunk_shape, "f8") * 2**level / most
        origin = np.array(manifest.grid_origin, "f8") + np.array(said.vertex_offset, "f8")
        return Mesh(*to_nanometres(lattice * step + origin, faces, self.info.transform))

    def read_manifest(self, label: int, data: bytes) -> Manifest:
        from teravox.pipeline.meshes.merging.manifest import Manifest

        try:
            return Manifest.decode(data)
        except ValueError as error:
            raise BadInput(
                f"the manifest of label {label} in {self.url} cannot be read: {error}. It was damaged; write it again"
            ) from None

    def read_data(self, key: str, start: int, size: int) -> bytes:
        """Bytes of fragments; BadInput where the object ends before."""
        data = self.store.get_range(key, start, start + size)
        if data is None or len(data) != size:
            raise BadInput(
                f"{self.store.url}/{key} ends before byte {start + size:,}, to which a manifest points. "
                "It was cut off; write it again"
            )
        return data

    def _decode(self, label: int, data: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        from teravox.pipeline.meshes.merging.draco import decode

        try:
            return decode(data)
        except ValueError as error:
            raise BadInput(
                f"a fragment of label {label} in {self.url} cannot be read: {error}. It was damaged; write it again"
            ) from None


class UnshardedSource(MultiresSource):
    """Objects `LABEL.index` and `LABEL`."""

    def labels(self) -> Iterator[int]:
        for key in self.store.list(f"{self.folder}/"):
            if found := _MANIFEST.fullmatch(key.removeprefix(f"{self.folder}/")):
                yield int(found[1])

    def find(self, label: int) -> Place | None:
        manifest = self.store.get(f"{self.folder}/{label}.index")
        return None if manifest is None else Place(manifest, f"{self.folder}/{label}", 0)


class ShardedSource(MultiresSource):
    """Shards, in which the fragments of a label lie directly before its manifest."""

    shards: ShardFolder

    def __init__(self, store: Store, folder: str, info: MeshInfo) -> None:
        super().__init__(store, folder, info)
        self.shards = ShardFolder(store, folder, spec_of(info, self.url))

    def labels(self) -> Iterator[int]:
        return self.shards.labels()

    def find(self, label: int) -> Place | None:
        for found, packed in self.shards.reader.read([label]):
            return self.place(found, packed)
        return None

    def place(self, found: Found, packed: bytes) -> Place:
        """Where a mesh lies whose manifest was fetched."""
        reader = self.shards.reader
        manifest = reader.unpack(found, packed)
        start = found.start - self.read_manifest(found.number, manifest).size
        if start < self.shards.spec.index_size:
            raise BadInput(
                f"the manifest of label {found.number} in {self.url} tells of more fragments than there can be before it. "
                "It was damaged; write it again"
            )
        return Place(manifest, reader.key(found.shard), start)
