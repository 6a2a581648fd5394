"""Surfaces of all labels of a real volume, as a whole and in pieces."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.mesh.test_mesh_simplify import STEP, distance
from kernels.mesh.test_mesh_weld import cut, is_same
from kernels.mesh.volumes import closed, surfaces_of, trimesh_of
from real_volumes import real_cortex

from teravox.kernels.mesh.closed import euler, is_manifold, volume
from teravox.kernels.mesh.planes import Planes, planes_of
from teravox.kernels.mesh.simplify import simplify
from teravox.kernels.mesh.weld import weld


def test_all_labels_of_a_cortex_stay_volumes_of_the_same_topology() -> None:
    labels = closed(real_cortex()[:256, :256, :256])
    sizes = np.bincount(np.unique(labels, return_inverse=True)[1].ravel())
    faces = 0
    for (_, surface), voxels in zip(sorted(surfaces_of(labels).items()), sizes[1:], strict=True):
        simple = simplify(surface, step=STEP, max_error=40)
        assert is_manifold(surface)
        assert euler(simple) == euler(surface)
        solid = trimesh_of(simple)
        assert solid.is_volume
        if voxels > 1000:
            assert solid.volume == pytest.approx(volume(surface), rel=0.01)
        if 20_000 < len(surface.faces) < 20_500:
            near = distance(surface, surface, STEP, 99)  # what the samples add
            assert distance(simple, surface, STEP, 99) < 20 + near
            assert distance(surface, simple, STEP, 99) < 20 + near
        faces += len(simple.faces)
    assert faces < 290_000  # of 3,664,012


def test_pieces_of_a_cortex_fit_together() -> None:
    labels = closed(real_cortex()[200:360, 100:228, 300:396])
    whole = surfaces_of(labels)
    shape = (64, 48, 80)
    locked = Planes((0, 0, 0), (128, 96, 160))
    cells = Planes((0, 0, 0), (32, 96, 40))
    for label, parts in cut(labels, shape).items():
        assert is_same(weld(parts), whole[label])
        simple = []
        for part in parts:
            masks = planes_of(part.vertices, within=cells, locked=locked)
            simple.append(simplify(part, step=STEP, max_error=40, planes=masks))
        welded = weld(simple)
        assert is_manifold(welded)
        assert euler(welded) == euler(whole[label])
        again = simplify(welded, step=STEP, max_error=1e9, target_faces=len(welded.faces) // 8)
        assert is_manifold(again)
        assert euler(again) == euler(welded)
        assert trimesh_of(again).is_volume
