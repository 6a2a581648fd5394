"""What meshes in any form of Neuroglancer answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.meshes.mesh import Mesh
from teravox.pipeline.meshes.mesh_info import MeshInfo

if TYPE_CHECKING:
    from teravox.pipeline.store import Store


class MeshSource(ABC):
    """The meshes in a folder of a layer. It keeps nothing between calls, so what is replaced is seen."""

    def __init__(self, store: Store, folder: str, info: MeshInfo) -> None:
        self.store = store
        self.folder = folder
        self.info = info

    @property
    def url(self) -> str:
        """What messages call it."""
        return f"{self.store.url}/{self.folder}"

    @abstractmethod
    def labels(self) -> Iterator[int]:
        """All labels that have a mesh, one after another as they are found."""

    @abstractmethod
    def levels(self, label: int) -> int:
        """How many levels of detail a mesh has; 0 where there is no mesh."""

    @abstractmethod
    def get(self, label: int, level: int = 0) -> Mesh | None:
        """A mesh, its fragments joined; None where there is no mesh, or not so many levels. BadInput where it is damaged."""
