"""Reads the skeletons of a layer, in whatever form of Neuroglancer they are."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.named_folder import named_folder
from teravox.pipeline.objects.shard_folder import ShardFolder
from teravox.pipeline.objects.sort import SKELETON
from teravox.pipeline.objects.source import ObjectSource
from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_format import decode
from teravox.pipeline.skeletons.skeleton_info import Matrix, SkeletonInfo, read_skeleton_info, spec_of
from teravox.pipeline.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.store import Store

_LABEL = re.compile(r"[0-9]{1,20}")


class SkeletonSource(ObjectSource):
    """The skeletons in a folder of a layer. It keeps nothing between calls, so what is replaced is seen."""

    def __init__(self, store: Store, folder: str, info: SkeletonInfo) -> None:
        super().__init__(store, folder)
        self.info = info
        self.form = info.form

    @classmethod
    def open(cls, layer: Layer, folder: str | None = None) -> SkeletonSource:
        """The skeletons in a folder, by default in the one that the layer's info names."""
        folder = named_folder(layer, SKELETON) if folder is None else folder
        info, _ = read_skeleton_info(layer.store, folder)
        source = LegacySkeletons if info.form == "legacy" else ShardedSkeletons
        return source(layer.store, folder, info)

    @abstractmethod
    def stored(self, label: int) -> bytes | None:
        """The bytes of a skeleton; None where there is none."""

    @abstractmethod
    def each(self, labels: Iterable[int] | None = None) -> Iterator[tuple[int, Skeleton]]:
        """The skeletons of these labels that are there, or all, in any order; few of them are in memory at once."""

    def get(self, label: int) -> Skeleton | None:
        """A skeleton; None where there is none. BadInput where it is damaged."""
        data = self.stored(label)
        return None if data is None else self.unpack(label, data)

    def unpack(self, label: int, data: bytes, transform: Matrix | None = None) -> Skeleton:
        """A skeleton out of its bytes, in nanometres, or by another transform than the one of its info."""
        try:
            return decode(data, self.info.vertex_attributes, transform or self.info.transform)
        except ValueError as error:
            raise BadInput(
                f"the skeleton of label {label} in {self.url} cannot be read: {error}. It was damaged; write it again"
            ) from None


class LegacySkeletons(SkeletonSource):
    """An object for each label, which is its name."""

    def labels(self) -> Iterator[int]:
        for key in self.store.list(f"{self.folder}/"):
            if _LABEL.fullmatch(name := key.removeprefix(f"{self.folder}/")):
                yield int(name)

    def has(self, label: int) -> bool:
        key = f"{self.folder}/{label}"
        return self.store.exists([key])[key]

    def stored(self, label: int) -> bytes | None:
        return self.store.get(f"{self.folder}/{label}")

    def each(self, labels: Iterable[int] | None = None) -> Iterator[tuple[int, Skeleton]]:
        wanted = self.labels() if labels is None else dict.fromkeys(labels)
        for label, data in side_by_side(lambda label: (label, self.stored(label)), wanted):
            if data is not None:
                yield label, self.unpack(label, data)


class ShardedSkeletons(SkeletonSource):
    """Shards, in which each entry is a skeleton."""

    shards: ShardFolder

    def __init__(self, store: Store, folder: str, info: SkeletonInfo) -> None:
        super().__init__(store, folder, info)
        self.shards = ShardFolder(store, folder, spec_of(info, self.url))

    def labels(self) -> Iterator[int]:
        return self.shards.labels()

    def has(self, label: int) -> bool:
        return bool(self.shards.reader.find([label]))

    def stored(self, label: int) -> bytes | None:
        reader = self.shards.reader
        for found, packed in reader.read([label]):
            return reader.unpack(found, packed)
        return None

    def each(self, labels: Iterable[int] | None = None) -> Iterator[tuple[int, Skeleton]]:
        reader = self.shards.reader
        places = (
            (reader.all_in(shard) for shard in self.shards.numbers()) if labels is None else iter([reader.find(labels)])
        )
        for some in places:
            for found, packed in reader.fetch(some):
                yield found.number, self.unpack(found.number, reader.unpack(found, packed))
