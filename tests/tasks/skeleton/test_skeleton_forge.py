"""`skeleton forge` on real layers: fragments of neighbouring pieces meet, whatever the volume and its pieces."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, files_of, make_layer, voxels
from memory_alone import measure_memory
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from skeletons.making import draw_ball, shapes

from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.kernels.skeleton.teasar import Teasar
from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadInput, BadUsage, TooLittleMemory
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.objects.forging.frame import frame_of
from teravox.pipeline.skeletons.forged import read_forged
from teravox.pipeline.skeletons.forging.areas import AREA
from teravox.pipeline.skeletons.forging.memory import BODY
from teravox.pipeline.skeletons.forging.reading import Read, face, inner_sides
from teravox.pipeline.skeletons.forging.tracing import Tracing, trace_numbers
from teravox.pipeline.skeletons.fragments import SKELETONS
from teravox.tasks.image.count import Count
from teravox.tasks.skeleton.forge import Forge

FAR_LABELS = np.array([0, 1, 2**63 + 5, 2**64 - 1, 77, 2**40], np.uint64)
ANY_SIZE: dict[str, Any] = {"dust_threshold": 0}  # Any: what the fields of the kind are


def fragments(path: str) -> Iterator[tuple[Box, int, Skeleton]]:
    """Each piece's skeletons."""
    layer = Layer.open(path, fresh=True)
    forged = read_forged(layer, "skeleton")
    for piece in forged.grid:
        file = forged.open(layer, piece)
        for label, skeleton in file.read(file.rows(), SKELETONS):
            yield piece, label, skeleton


def forge(path: str, **options: Any) -> list[tuple[Box, int, Skeleton]]:  # Any: what the fields of the kind are
    do(Forge(path, **options))
    return list(fragments(path))


def welded(found: list[tuple[Box, int, Skeleton]]) -> dict[int, tuple[Array, Array]]:
    """The vertices of each label, each once, and which of them hang together."""
    labels: dict[int, list[Skeleton]] = {}
    for _, label, skeleton in found:
        labels.setdefault(label, []).append(skeleton)
    result = {}
    for label, some in labels.items():
        places, index = np.unique(np.concatenate([one.vertices for one in some]), axis=0, return_inverse=True)
        starts = np.cumsum([0, *(len(one.vertices) for one in some)])
        edges = np.concatenate([one.edges + start for one, start in zip(some, starts, strict=False)])
        edges = index.reshape(-1)[edges.astype(np.int64)]
        graph = sparse.coo_array((np.ones(len(edges)), tuple(edges.T)), shape=(len(places),) * 2)
        result[label] = (places, csgraph.connected_components(graph, directed=False)[1])
    return result


def assert_each_part_is_one_skeleton(array: Array, offset: Vec, found: list[tuple[Box, int, Skeleton]]) -> None:
    """What is connected in the whole volume is connected in the skeletons, and nothing else is."""
    parts = cc3d.connected_components(np.asfortranarray(array), connectivity=26)
    skeletons = welded(found)
    assert sorted(skeletons) == np.unique(array[array > 0]).tolist()
    seen = set()
    for label, (places, components) in skeletons.items():
        at = tuple((places - offset).T)
        assert (array[at] == label).all()
        owners = parts[at]
        for owner in np.unique(owners).tolist():
            assert len(np.unique(components[owners == owner])) == 1
            seen.add(owner)
    assert seen == set(np.unique(parts[parts > 0]).tolist())


def blocks(size: Vec, dtype: str = "uint64", seed: int = 0, labels: int = 6) -> Array:
    array = voxels(size, "uint8", labels=labels, seed=seed)[..., 0]
    return np.asfortranarray(FAR_LABELS[array] if dtype == "uint64" else array.astype(dtype))


def layer_of(folder: Path, array: Array, **options: Any) -> str:  # Any: what make_layer takes
    return make_layer(folder, array[..., np.newaxis], **{"type": "segmentation", "compress": False, **options})


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(1, 18)] * 3),
    offset=st.tuples(*[st.integers(-41, 40)] * 3),
    shape=st.tuples(*[st.integers(5, 12)] * 3),
    dtype=st.sampled_from(["uint8", "uint32", "uint64", "int32"]),
    seed=st.integers(0, 999),
    context=st.sampled_from([0, 0, 3]),
    random=st.randoms(use_true_random=False),
)
def test_skeletons_of_all_pieces_hang_together_as_labels_do(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    shape: Vec,
    dtype: str,
    seed: int,
    context: int,
    random: Any,
) -> None:
    array = blocks(size, dtype, seed)
    path = layer_of(tmp_path_factory.mktemp("layer"), array, offset=offset)
    before = files_of(path)
    job = Forge(path, shape=shape, context=context, **ANY_SIZE)
    job.prepare()
    pieces = list(job.pieces())
    for piece in random.sample(pieces * 2, 2 * len(pieces)):
        job.run(piece)
    job.finish()
    found = list(fragments(path))
    assert_each_part_is_one_skeleton(array.astype(np.uint64), offset, found)
    after = files_of(path)
    assert {key: after[key] for key in before if key != "provenance"} == {
        key: data for key, data in before.items() if key != "provenance"
    }
    do(job)
    assert {k: v for k, v in files_of(path).items() if k != "provenance"} == {
        k: v for k, v in after.items() if k != "provenance"
    }


@settings(max_examples=15, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 22)] * 3),
    shape=st.tuples(*[st.integers(2, 8)] * 3),
    seed=st.integers(0, 9999),
    labels=st.integers(2, 7),
)
@example(size=(21, 16, 9), shape=(6, 5, 3), seed=27, labels=6)  # two neighbours could each leave a part to the other
@example(size=(18, 10, 20), shape=(2, 11, 12), seed=30, labels=6)
def test_no_grid_is_so_fine_that_something_breaks(size: Vec, shape: Vec, seed: int, labels: int) -> None:
    array = np.asfortranarray(voxels(size, "uint8", labels=labels, seed=seed)[..., 0])
    grid = Grid(Box((0, 0, 0), size), shape)
    how = Tracing(Teasar(), (4.0, 4.0, 40.0), 0, fix_borders=True, kimimaro=False)
    found = []
    for piece in grid:
        frame = frame_of(piece, grid.bounds)
        part = np.asfortranarray(array[within(frame.inside, grid.bounds)[:3]])
        planes = {side: face(part, side) for side in inner_sides(frame)}
        read = Read(part, np.arange(labels, dtype=np.uint64))
        traced = trace_numbers(read, planes, (0, 0, 0), frame.inside.size, how, 10**9)
        found += [(piece, number, skeleton.moved(piece.min)) for number, skeleton in traced]
    assert_each_part_is_one_skeleton(array.astype(np.uint64), (0, 0, 0), found)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 999),
    shape=st.tuples(*[st.integers(10, 30)] * 3),
    options=st.sampled_from(
        [{}, {"soma_detect": 40.0, "soma_accept": 60.0}, {"max_paths": 1}, {"fix_branching": False}]
    ),
    context=st.sampled_from([0, 6]),
)
def test_shapes_hang_together_whatever_is_chosen(
    tmp_path_factory: pytest.TempPathFactory, seed: int, shape: Vec, options: dict[str, Any], context: int
) -> None:
    volume = shapes((44, 40, 36), seed)
    path = layer_of(tmp_path_factory.mktemp("layer"), volume, offset=(-7, 5, 11), chunk=(16, 16, 16))
    found = forge(path, shape=shape, context=context, **options, **ANY_SIZE)
    assert_each_part_is_one_skeleton(volume, (-7, 5, 11), found)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 999), shape=st.tuples(*[st.integers(6, 12)] * 3))
def test_neighbours_have_the_same_targets(tmp_path_factory: pytest.TempPathFactory, seed: int, shape: Vec) -> None:
    from teravox.pipeline.skeletons.forging import tracing

    array = blocks((22, 20, 18), seed=seed)
    path = layer_of(tmp_path_factory.mktemp("layer"), array, offset=(3, -9, 4))
    found: dict[tuple[int, ...], list[set[tuple[int, ...]]]] = {}
    find = tracing._find_targets
    job = Forge(path, shape=shape, context=2, fill_holes=True, **ANY_SIZE)
    job.prepare()
    with pytest.MonkeyPatch.context() as patch:
        for piece in job.pieces():

            def noted(planes: Any, step: Any, size: Vec, piece: Box = piece) -> Any:
                for side in planes:
                    axis, end = divmod(side, 2)
                    at = (piece.max if end else piece.min)[axis]
                    low = (*piece.min[:axis], at, *piece.min[axis + 1 :])
                    places = find({side: planes[side]}, step, size) + piece.min
                    found.setdefault((axis, *low), []).append({tuple(place) for place in places.tolist()})
                return find(planes, step, size)

            patch.setattr(tracing, "_find_targets", noted)
            job.run(piece)
    assert found or len(job.pieces()) == 1
    assert all(len(sides) == 2 and sides[0] == sides[1] for sides in found.values())


def test_without_fixed_borders_pieces_need_not_meet(tmp_path: Path) -> None:
    array = np.ones((40, 9, 9), np.uint8, order="F")
    array[:, :2] = array[:, :, :2] = 0
    path = layer_of(tmp_path, array)
    fixed = forge(path, shape=(20, 9, 9), **ANY_SIZE)
    targets = [{tuple(v) for v in one.vertices.tolist() if v[0] == 20} for _, _, one in fixed]
    assert targets[0] & targets[1]
    assert not read_forged(Layer.open(path), "skeleton").attributes
    loose = forge(path, shape=(20, 9, 9), fix_borders=False, **ANY_SIZE)
    assert [len(one.vertices) for *_, one in loose] != [len(one.vertices) for *_, one in fixed]


def test_what_lies_in_the_neighbours_plane_alone_is_left_to_the_neighbour(tmp_path: Path) -> None:
    array = np.zeros((20, 12, 12), np.uint8, order="F")
    array[10:, 3:9, 3:9] = 5
    found = forge(layer_of(tmp_path, array), shape=(10, 12, 12), **ANY_SIZE)
    assert [piece.min[0] for piece, _, _ in found] == [10]


def test_dust_is_what_is_small_and_ends_within_a_piece(tmp_path: Path) -> None:
    array = np.zeros((40, 16, 16), np.uint32, order="F")
    array[3:9, 3:6, 3:6] = 7  # 54 voxels
    array[3:9, 9:14, 9:14] = 7  # 150 voxels
    array[17:22, 3:6, 3:6] = 8  # 45 voxels, in two pieces
    path = layer_of(tmp_path, array)
    kept = forge(path, shape=(20, 16, 16), dust_threshold=100)
    assert sorted((piece.min[0], label) for piece, label, _ in kept) == [(0, 7), (0, 8), (20, 8)]
    assert (kept[0][2].vertices[:, 1] >= 9).all() or kept[0][1] == 8
    assert len(forge(path, shape=(20, 16, 16), dust_threshold=54)) == 3
    do(Count(path))
    kept = forge(path, shape=(20, 16, 16), dust_threshold=204, dust_global=True)
    assert sorted({label for _, label, _ in kept}) == [7]
    assert welded(kept)[7][0][:, 1].min() < 9  # its small part, too


def test_labels_are_chosen_and_become_others(tmp_path: Path) -> None:
    array = blocks((18, 18, 18), "uint32")
    path = layer_of(tmp_path / "layer", array)
    assert {label for _, label, _ in forge(path, labels=(2, 3), exclude_labels=(), **ANY_SIZE)} == {2, 3}
    assert {label for _, label, _ in forge(path, exclude_labels=(1, 4), **ANY_SIZE)} == {2, 3, 5}
    table = tmp_path / "table.csv"
    table.write_text("1,2\n3,0\n")
    known = KnownFile.at(str(table))
    assert {label for _, label, _ in forge(path, remap=known, **ANY_SIZE)} == {2, 4, 5}


def test_holes_and_pits_are_filled_where_it_is_asked_for(tmp_path: Path) -> None:
    volume = np.zeros((60, 60, 60), np.uint64)
    middle = np.array([30.0, 30.0, 30.0])
    draw_ball(volume, middle, 24, np.uint64(3))
    draw_ball(volume, middle, 13, np.uint64(0))
    draw_ball(volume, middle, 12, np.uint64(9))
    path = layer_of(tmp_path, np.asfortranarray(volume), chunk=(30, 30, 30), resolution=(10, 10, 10))
    quick = {"shape": (60, 60, 60), "soma_detect": 200.0, "soma_accept": 210.0, **ANY_SIZE}
    assert {label for _, label, _ in forge(path, **quick)} == {3, 9}
    whole = forge(path, fix_avocados=True, **quick)
    assert [label for _, label, _ in whole] == [3]
    assert whole[0][2].radius.max() == pytest.approx(240, rel=0.05)
    volume[volume == 9] = 0
    path = layer_of(tmp_path / "hollow", np.asfortranarray(volume), chunk=(30, 30, 30), resolution=(10, 10, 10))
    hollow = forge(path, shape=(60, 60, 60), **ANY_SIZE)
    filled = forge(path, shape=(60, 60, 60), fill_holes=True, **ANY_SIZE)
    assert hollow[0][2].radius.max() < 80
    assert filled[0][2].radius.max() == pytest.approx(240, rel=0.05)


def test_context_makes_radii_near_the_sides_true(tmp_path: Path) -> None:
    array = np.zeros((60, 40, 40), np.uint8, order="F")
    array[3:57, 5:27, 5:35] = 1  # whose middle is at y = 15.5, and which is cut at y = 20
    path = layer_of(tmp_path, array, resolution=(10, 10, 10), chunk=(20, 20, 20))
    true = ndimage.distance_transform_edt(array, sampling=10)

    def wrong(**options: Any) -> int:
        found = forge(path, shape=(60, 20, 40), **options, **ANY_SIZE)
        return sum(int((~np.isclose(one.radius, true[tuple(one.vertices.T)], rtol=1e-4)).sum()) for _, _, one in found)

    assert wrong() > 10
    assert wrong(context=30) == 0


def test_areas_are_true_or_negative(tmp_path: Path) -> None:
    array = np.zeros((80, 30, 30), np.uint32, order="F")
    array[:, 8:18, 10:22] = 6
    array[:, 22:, 22:] = 7
    path = layer_of(tmp_path, array, resolution=(10, 10, 10), chunk=(20, 20, 20), offset=(5, -3, 9))
    true = 10 * 12 * 100
    piece: dict[str, Any] = {"shape": (40, 12, 30), "cross_section": 15, **ANY_SIZE}

    def middle(found: list[tuple[Box, int, Skeleton]], label: int) -> Array:
        areas = [
            one.attributes[AREA][(one.vertices[:, 0] > 20) & (one.vertices[:, 0] < 70)]
            for _, which, one in found
            if which == label
        ]
        return np.concatenate(areas)

    known = middle(forge(path, **piece), 6)
    assert np.median(known) == pytest.approx(true, rel=0.05)  # the path is not quite straight
    assert (known > 0).all()
    forged = read_forged(Layer.open(path), "skeleton")
    assert [attribute.id for attribute in forged.attributes] == [AREA]
    cut_off = middle(forge(path, cross_section_margin=0, **piece), 6)
    assert (cut_off < 0).any()
    assert (np.abs(cut_off) < true * 1.5).all()
    at_the_end = middle(forge(path, **piece), 7)
    assert (at_the_end < 0).all()


def test_kimimaro_finds_the_same_ends(tmp_path: Path) -> None:
    volume = shapes((48, 44, 40), 5, 4)
    path = layer_of(tmp_path, volume, chunk=(16, 16, 16), resolution=(16, 16, 40))
    ours = forge(path, shape=(24, 44, 40), dust_threshold=100)
    theirs = forge(path, shape=(24, 44, 40), dust_threshold=100, engine="kimimaro")
    assert {(piece, label) for piece, label, _ in ours} == {(piece, label) for piece, label, _ in theirs}
    for places, _ in welded(theirs).values():
        assert (volume[tuple(places.T)] > 0).all()
    assert {tuple(v) for _, _, one in theirs for v in one.vertices.tolist() if v[0] == 24}


def test_without_kimimaro_its_engine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = layer_of(tmp_path, blocks((8, 8, 8)))
    monkeypatch.setitem(sys.modules, "kimimaro", None)
    with pytest.raises(BadUsage, match=r"pip install 'teravox\[kimimaro\]'"):
        Forge(path, engine="kimimaro").prepare()
    Forge(path).prepare()


def test_missing_chunks_are_background_where_it_is_said(tmp_path: Path) -> None:
    array = blocks((16, 16, 16))
    path = layer_of(tmp_path, array)
    next(Path(path, "4_4_40").glob("8-16_*")).unlink()
    with pytest.raises(BadInput, match="--fill-missing"):
        forge(path, **ANY_SIZE)
    assert forge(path, fill_missing=True, **ANY_SIZE)


@pytest.mark.parametrize("value", [0, 4])
def test_one_label_or_none_in_a_volume_is_no_trouble(tmp_path: Path, value: int) -> None:
    array = np.full((20, 17, 9), value, np.uint16, order="F")
    found = forge(layer_of(tmp_path, array), shape=(8, 8, 8), **ANY_SIZE)
    if value:
        assert_each_part_is_one_skeleton(array, (0, 0, 0), found)
    else:
        assert found == []


def test_a_part_of_the_volume_at_another_mip_is_forged(tmp_path: Path) -> None:
    from teravox.tasks.image.downsample import Downsample

    array = np.kron(blocks((12, 12, 12)), np.ones((2, 2, 1), np.uint64)).astype(np.uint64)
    path = layer_of(tmp_path, np.asfortranarray(array), offset=(10, 20, -4))
    down = Downsample(path, num_mips=1)
    down.prepare()
    for piece in down.pieces():
        down.run(piece)
    down.finish()
    bounds = Box((6, 11, -3), (15, 20, 6))
    found = forge(path, mip=1, bounds=bounds, shape=(5, 4, 6), **ANY_SIZE)
    inside = Layer.open(path, fresh=True).read(bounds, 1)[..., 0]
    assert_each_part_is_one_skeleton(inside, bounds.min, found)


def test_what_cannot_be_meant_is_refused_before_anything_is_queued(tmp_path: Path) -> None:
    path = layer_of(tmp_path / "seg", blocks((16, 16, 16)))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"shape": (0, 8, 8)}, "--shape"),
        ({"bounds": Box((50, 50, 50), (60, 60, 60))}, "--bounds"),
        ({"memory_limit": 100_000_000}, "--memory"),
        ({"labels": (3, 4), "exclude_labels": (4,)}, "4 is among --labels, too"),
        ({"dust_global": True, "dust_threshold": 0}, "--dust-threshold"),
        ({"dust_global": True}, "image count"),
        ({"context": 5, "engine": "kimimaro"}, "--context"),
        ({"dir": "../elsewhere"}, "no key within"),
        ({"dir": "4_4_40"}, "--dir"),
    ]
    for options, why in refused:
        with pytest.raises((BadUsage, BadInput), match=why):
            Forge(path, **options).prepare()
    pictures = make_layer(tmp_path / "em", voxels((8, 8, 8), "uint8"))
    with pytest.raises(BadUsage, match="skeletons are made of a segmentation"):
        Forge(pictures).prepare()
    two = make_layer(tmp_path / "two", voxels((8, 8, 8), "uint8", channels=2), type="segmentation")
    with pytest.raises(BadUsage, match="2 channels"):
        Forge(two).prepare()
    assert not (tmp_path / "seg/skeleton.fragments").exists()


def test_who_asks_too_early_is_told_to_go_on(tmp_path: Path) -> None:
    path = layer_of(tmp_path, blocks((16, 16, 16)))
    with pytest.raises(BadInput, match=r"there are no fragments .* teravox skeleton forge"):
        read_forged(Layer.open(path), "skeleton")
    job = Forge(path, shape=(8, 8, 8), **ANY_SIZE)
    job.prepare()
    job.run(job.pieces()[0])
    with pytest.raises(BadInput, match="--resume"):
        read_forged(Layer.open(path), "skeleton")


def test_more_parts_than_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = layer_of(tmp_path, blocks((16, 16, 16)))
    from teravox.pipeline.skeletons.forging.plan import Plan

    monkeypatch.setattr(Plan, "room", lambda _plan, _piece: BODY)
    with pytest.raises(TooLittleMemory, match="--memory"):
        forge(path, **ANY_SIZE)


def test_the_default_shape_grows_with_the_memory(tmp_path: Path) -> None:
    path = layer_of(tmp_path, blocks((16, 16, 16)))
    raw = Layer.open(path).raw
    raw["scales"][0]["size"] = [4000, 4000, 4000]
    raw["scales"][0]["chunk_sizes"] = [[64, 64, 64]]
    Layer.open(path).write_info(raw)
    last = 0
    for memory in (700_000_000, 10**9, 3_500_000_000, 20 * 10**9):
        job = Forge(path, memory_limit=memory)
        piece = job.pieces()[1]
        assert last < piece.voxels <= 512**3
        assert job.memory(piece) <= memory
        last = piece.voxels


HARD: list[tuple[str, str, dict[str, Any]]] = [
    ("noise", "uint64", {"dust_threshold": 0}),
    ("blocks", "uint64", {"fill_holes": True, "fix_avocados": True}),
    ("blocks", "uint32", {"context": 16, "shape": (64, 64, 64), "cross_section": 5, "cross_section_margin": 40}),
    ("solid", "uint16", {}),
]


@pytest.mark.parametrize(("kind", "dtype", "options"), HARD)
def test_a_piece_needs_no_more_memory_than_it_says(
    tmp_path: Path, kind: str, dtype: str, options: dict[str, Any]
) -> None:
    random = np.random.default_rng(0)
    size = (24, 24, 24) if kind == "noise" else (128, 128, 128)
    if kind == "noise":
        array = random.integers(1, 2**63, size).astype(dtype)
    elif kind == "solid":
        array = np.ones(size, dtype)
        array[64, 64, 64] = 0  # a hole, which is filled where there may be a soma
    else:
        array = np.kron(random.integers(0, 60, (8, 8, 8)), np.ones((16, 16, 16), int)).astype(dtype)
    path = layer_of(tmp_path / "layer", np.asfortranarray(array), chunk=(32, 32, 32))
    small = {name: value for name, value in options.items() if name != "shape"}
    warm = Forge(layer_of(tmp_path / "warm", blocks((24, 24, 24), dtype)), **{**small, "dust_threshold": 0})
    plan = Forge(path, memory_limit=10**11, **options).plan()
    job = Forge(path, memory_limit=plan.needed(plan.grid[0]), **options)
    job.prepare()
    warm.prepare()
    promised = job.memory(job.pieces()[0])
    assert promised <= job.memory_limit
    peak, growth = measure_memory(job, warm=warm)
    assert peak <= promised
    assert growth <= promised - LIBRARIES
