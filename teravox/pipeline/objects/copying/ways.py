"""What a copy must know of a sort of objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.store import Compression

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.objects.copying.part import Part
    from teravox.pipeline.objects.copying.plan import Plan
    from teravox.pipeline.objects.source import ObjectSource


class Stored(NamedTuple):
    """An object as it lies in a shard: data, unpacked, to which the index points, and what stands before them."""

    label: int
    data: bytes
    before: bytes = b""


class Thing(NamedTuple):
    """An object of a store, to be written."""

    key: str
    stored: bytes
    how: Compression | None = None


class Ways(ABC):
    """How the objects of a sort are read and written."""

    sort: ClassVar[Sort]

    @abstractmethod
    def open(self, layer: Layer) -> ObjectSource:
        """The objects that a layer names."""

    @abstractmethod
    def info(self, plan: Plan) -> Json:
        """The info of the copy."""

    @abstractmethod
    def size(self, source: ObjectSource, label: int) -> int:
        """About how many bytes an object will take in a shard."""

    @abstractmethod
    def entries(self, plan: Plan, part: Part) -> Iterator[Stored]:
        """The objects of a piece for a shard, in any order."""

    @abstractmethod
    def things(self, plan: Plan, part: Part) -> Iterator[Thing]:
        """The objects of a piece for a copy that has no shards."""

    @abstractmethod
    def names(self, form: str, label: int) -> list[str]:
        """The names of the objects that stand for a label in a copy that has no shards."""
