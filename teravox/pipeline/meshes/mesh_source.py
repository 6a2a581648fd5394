"""What meshes in any form of Neuroglancer answer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from teravox.pipeline.meshes.mesh import Mesh
from teravox.pipeline.meshes.mesh_info import MeshInfo
from teravox.pipeline.objects.source import ObjectSource

if TYPE_CHECKING:
    from teravox.pipeline.store import Store


class MeshSource(ObjectSource):
    """The meshes in a folder of a layer. It keeps nothing between calls, so what is replaced is seen."""

    def __init__(self, store: Store, folder: str, info: MeshInfo) -> None:
        super().__init__(store, folder)
        self.info = info
        self.form = info.form

    def has(self, label: int) -> bool:
        return self.levels(label) > 0

    @abstractmethod
    def levels(self, label: int) -> int:
        """How many levels of detail a mesh has; 0 where there is no mesh."""

    @abstractmethod
    def get(self, label: int, level: int = 0) -> Mesh | None:
        """A mesh, its fragments joined; None where there is no mesh, or not so many levels. BadInput where it is damaged."""
