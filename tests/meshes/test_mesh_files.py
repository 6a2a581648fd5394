"""Meshes as files, as trimesh reads them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from meshes.meshed_layers import volume

from teravox.kernels.mesh.marching import march
from teravox.pipeline.meshes.files.formats import ENCODERS, FORMATS, Format
from teravox.pipeline.meshes.mesh import Mesh

NOTHING = Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.uint32))


def ball(offset: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    """A ball in nanometres."""
    vertices, faces = dict(march(np.pad(volume(), 1)))[7]
    return Mesh(vertices * np.array([2.0, 2.0, 20.0]) + np.array(offset, np.float64), faces)


def loaded(mesh: Mesh, format: Format) -> Any:  # trimesh has types of its own
    import trimesh

    return trimesh.load_mesh(io.BytesIO(ENCODERS[format](mesh, "nm")), file_type=format)


@pytest.mark.parametrize("format", FORMATS)
def test_trimesh_reads_the_same_closed_surface(format: Format) -> None:
    mesh = ball((0.5, -300.25, 4000))
    read = loaded(mesh, format)
    assert read.is_volume
    assert (len(read.vertices), len(read.faces)) == (len(mesh.vertices), len(mesh.faces))
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    assert read.volume == pytest.approx(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)
    assert np.allclose(np.sort(read.vertices, axis=0), np.sort(mesh.vertices, axis=0))


@pytest.mark.parametrize("format", ["ply", "obj", "glb"])
def test_nothing_is_lost_far_from_the_origin(format: Format) -> None:
    mesh = ball((16_000_000_001, -31_000_000_003, 777_777_777))
    read = loaded(mesh, format)
    vertices = np.asarray(read.vertices)
    if format == "glb":
        import trimesh

        scene = trimesh.load_scene(io.BytesIO(ENCODERS["glb"](mesh, "nm")), file_type="glb")
        (name,) = scene.graph.nodes_geometry
        matrix, geometry = scene.graph[name]
        vertices = np.asarray(scene.geometry[geometry].vertices, float) @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.array_equal(np.sort(vertices, axis=0), np.sort(mesh.vertices, axis=0))


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_mesh_gives_the_same_bytes(format: Format) -> None:
    assert ENCODERS[format](ball(), "nm") == ENCODERS[format](ball(), "nm")


@pytest.mark.parametrize("format", FORMATS)
def test_a_mesh_of_nothing_can_be_written(format: Format) -> None:
    data = ENCODERS[format](NOTHING, "um")
    assert data
    if format == "ply":
        assert b"element face 0" in data


def test_normals_of_stl_point_outward() -> None:
    mesh = ball()
    rows = np.frombuffer(
        ENCODERS["stl"](mesh, "nm"), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("a", "<u2")], offset=84
    )
    middle = mesh.vertices.mean(axis=0)
    outward = np.einsum("ij,ij->i", rows["corners"].mean(axis=1) - middle, rows["normal"])
    assert (outward > 0).mean() > 0.99
    assert np.allclose(np.linalg.norm(rows["normal"], axis=1), 1, atol=1e-6)
