"""What objects in any form of Neuroglancer answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from teravox.pipeline.objects.shard_folder import ShardFolder
    from teravox.pipeline.store import Store


class ObjectSource(ABC):
    """The objects in a folder of a layer. It keeps nothing between calls, so what is replaced is seen."""

    form: str
    shards: ShardFolder | None = None  # where they lie in shards

    def __init__(self, store: Store, folder: str) -> None:
        self.store = store
        self.folder = folder

    @property
    def url(self) -> str:
        """What messages call it."""
        return f"{self.store.url}/{self.folder}"

    @abstractmethod
    def labels(self) -> Iterator[int]:
        """All labels that have an object, one after another as they are found."""

    @abstractmethod
    def has(self, label: int) -> bool:
        """Whether a label has an object."""
