"""Opens the meshes of a layer, in whatever form of Neuroglancer they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.meshes.legacy_source import LegacySource
from teravox.pipeline.meshes.mesh_info import Form, read_mesh_info
from teravox.pipeline.meshes.mesh_source import MeshSource
from teravox.pipeline.meshes.multires_source import ShardedSource, UnshardedSource
from teravox.pipeline.objects.named_folder import named_folder
from teravox.pipeline.objects.sort import MESH

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer

SOURCES: dict[Form, type[MeshSource]] = {
    "legacy": LegacySource,
    "multires": UnshardedSource,
    "sharded": ShardedSource,
}


def open_meshes(layer: Layer, folder: str | None = None) -> MeshSource:
    """The meshes in a folder of a layer, by default in the one that its info names."""
    folder = named_folder(layer, MESH) if folder is None else folder
    info, _ = read_mesh_info(layer.store, folder)
    return SOURCES[info.form](layer.store, folder, info)
