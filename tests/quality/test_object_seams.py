from __future__ import annotations

import json

import numpy as np
import pytest
from kernels.quality.test_quality_kernels import CUBE
from layers.make import make_layer
from quality.volumes import cells
from verification.recorded import do_recorded

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.quality.measure import Measuring, Quality
from teravox.pipeline.quality.object_seams import measure_meshes, measure_skeletons, sample_labels
from teravox.pipeline.quality.planes import Planes
from teravox.pipeline.quality.seam import PlaneFigure
from teravox.pipeline.registry import Registry
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

RESOLUTION = (4, 4, 40)
PLANES = Planes(((32,), (), ()), ((12, 44), (), ()), 0, "pieces")


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """Meshes of cubes whose faces lie in x = 32, once with it and once without; skeletons that end there, or go on."""
    folder = tmp_path_factory.mktemp("objects") / "seg"
    made = Layer.open(make_layer(folder, np.zeros((64, 64, 8, 1), "uint64", order="F"), type="segmentation"))
    corners = np.array([[x, y, z] for x in (16, 32) for y in (8, 24) for z in (2, 6)]) * RESOLUTION
    objects = {
        "mesh/info": json.dumps({"@type": "neuroglancer_legacy_mesh"}).encode(),
        "skeletons/info": json.dumps({"@type": "neuroglancer_skeletons", "vertex_attributes": []}).encode(),
    }
    is_at_32 = (CUBE >= 4).all(axis=1)
    for label, faces in ((1, CUBE), (2, CUBE[~is_at_32])):
        mesh = np.uint32(len(corners)).tobytes() + corners.astype("<f4").tobytes() + faces.astype("<u4").tobytes()
        objects |= {f"mesh/{label}:0": json.dumps({"fragments": [f"{label}:0:a"]}).encode(), f"mesh/{label}:0:a": mesh}
    for label, line in (
        (1, [(2, 5, 1), (32, 5, 1)]),
        (2, [(2, 5, 1), (32, 5, 1), (60, 5, 1)]),
        (3, [(3, 1, 1), (12, 1, 1)]),
    ):
        places = np.array(line) * RESOLUTION
        edges = np.array([(at, at + 1) for at in range(len(line) - 1)], "<u4")
        head = np.array([len(line), len(edges)], "<u4").tobytes()
        objects[f"skeletons/{label}"] = head + places.astype("<f4").tobytes() + edges.tobytes()
    made.store.put_many(objects)
    return made.write_info(made.raw | {"mesh": "mesh", "skeletons": "skeletons"})


def test_open_edges_at_borders_are_cracks_and_closed_meshes_have_none(layer: Layer) -> None:
    edges, vertices = measure_meshes(layer, open_meshes(layer), PLANES, 100, 0)
    assert edges.figures == (
        PlaneFigure(0, 12, False, 0, 1),
        PlaneFigure(0, 32, True, 4, 1),
        PlaneFigure(0, 44, False, 0, 1),
    )
    assert edges.elsewhere == 0
    assert edges.looked_at == "all 2 meshes"
    assert [figure.hits for figure in vertices.figures] == [0, 8, 0]


def test_ends_of_skeletons_are_counted_and_what_goes_on_is_not(layer: Layer) -> None:
    seam = measure_skeletons(layer, SkeletonSource.open(layer), PLANES, 100, 0)
    assert [(figure.at, figure.hits) for figure in seam.figures] == [(12, 1), (32, 1), (44, 0)]
    assert seam.elsewhere == 4
    assert seam.score == 2


def test_some_labels_stand_for_many_and_are_the_same_for_the_same_seed(layer: Layer) -> None:
    source = SkeletonSource.open(layer)
    assert len(sample_labels(source, 2, 0).labels) == 2
    assert sample_labels(source, 2, 7) == sample_labels(source, 2, 7)
    assert {tuple(sample_labels(source, 2, seed).labels) for seed in range(9)} == {(1, 2), (1, 3), (2, 3)}
    assert measure_skeletons(layer, source, PLANES, 2, 0).looked_at == "2 (by chance, seed 0) of 3 skeletons"


def test_a_damaged_mesh_is_left_out_and_told_of(layer: Layer) -> None:
    good = layer.store.get("mesh/2:0:a")
    assert good is not None
    layer.store.put("mesh/2:0:a", good[:50])
    try:
        edges, _ = measure_meshes(layer, open_meshes(layer), PLANES, 100, 0)
    finally:
        layer.store.put("mesh/2:0:a", good)
    assert not any(figure.hits for figure in edges.figures)
    assert edges.looked_at.endswith("1 of them was left out, as it is too large or cannot be read")


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Quality:
    """A layer with meshes and skeletons in pieces of 32 voxels, measured."""
    path = make_layer(
        tmp_path_factory.mktemp("forged") / "seg",
        cells(64, 12).astype("uint32"),
        chunk=(32, 32, 32),
        type="segmentation",
        resolution=(16, 16, 16),
    )
    for kind in ("mesh", "skeleton"):
        do_recorded(f"{kind} forge", layer=path, shape=(32, 32, 32), dust_threshold=0)
        do_recorded(f"{kind} merge", layer=path)
    return Measuring(Layer.open(path, fresh=True), Registry(), 100, 0).run()


def test_our_meshes_have_no_cracks_where_pieces_meet(forged: Quality) -> None:
    edges, vertices = (seam for seam in forged.seams if seam.what.startswith("mesh"))
    assert edges.whose.startswith("pieces of the job mesh forge (")
    assert {figure.at for figure in edges.figures if figure.is_border} == {32}
    assert {figure.at for figure in edges.figures if not figure.is_border} == {12, 44}
    assert not any(figure.hits for figure in edges.figures)
    assert edges.elsewhere == 0
    assert all(figure.hits for figure in vertices.figures)


def test_skeletons_are_held_against_the_pieces_of_their_own_forge(forged: Quality) -> None:
    (seam,) = (seam for seam in forged.seams if seam.what == "skeleton ends")
    assert seam.whose.startswith("pieces of the job skeleton forge (")
    assert sum(figure.hits for figure in seam.figures) + (seam.elsewhere or 0) > 10


def test_merges_are_found_in_the_ledgers_of_their_folders(forged: Quality) -> None:
    assert {(job.kind, job.folder) for job in forged.jobs} == {
        ("mesh forge", ""),
        ("mesh merge", "mesh"),
        ("skeleton forge", ""),
        ("skeleton merge", "skeleton"),
    }


def test_without_a_ledger_it_is_said_why_objects_are_not_looked_at(layer: Layer) -> None:
    seen = Measuring(layer, Registry(), 10, 0).run()
    assert [seam.what for seam in seen.seams] == ["labels"]
    for what in ("meshes", "skeletons"):
        sentence = f"No ledger tells of the pieces in which the {what} were made, so their seams were not looked for."
        assert sentence in seen.absent["seams"]
