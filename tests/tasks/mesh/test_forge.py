"""`mesh forge` on real layers: its pieces, welded, are the surfaces of the whole volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, files_of, make_layer, voxels
from memory_alone import measure_memory
from scipy import ndimage

from teravox.kernels.mesh.cavities import fill_cavities
from teravox.kernels.mesh.closed import euler, is_manifold, open_edges
from teravox.kernels.mesh.marching import march
from teravox.kernels.mesh.surface import Surface
from teravox.kernels.mesh.weld import weld
from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage, TooLittleMemory
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.forged import read_forged
from teravox.pipeline.meshes.forging import surfaces
from teravox.pipeline.meshes.fragments import SURFACES
from teravox.tasks.image.count import Count
from teravox.tasks.mesh.forge import Forge

FAR_LABELS = np.array([0, 1, 2**63 + 5, 2**64 - 1, 77, 2**40], np.uint64)


def welded(path: str, dir: str = "mesh") -> dict[int, Surface]:
    """The fragments of all pieces, joined."""
    layer = Layer.open(path)
    forged = read_forged(layer, dir)
    parts: dict[int, list[Surface]] = {}
    for piece in forged.grid:
        file = forged.open(layer, piece)
        for label, surface in file.read(file.rows(), SURFACES):
            parts.setdefault(label, []).append(surface)
    return {label: weld(some) for label, some in parts.items()}


def whole(array: Array, offset: Vec, *, closed: bool = True) -> dict[int, Surface]:
    """The surfaces of an array at once."""
    x, y, z = (2 * (n - closed) for n in offset)
    return {label: surface.moved((x, y, z)) for label, surface in march(np.pad(array, int(closed)))}


def assert_same(found: dict[int, Surface], expected: dict[int, Surface]) -> None:
    assert sorted(found) == sorted(expected)
    for label, surface in expected.items():
        assert np.array_equal(found[label].vertices, surface.vertices)
        assert np.array_equal(found[label].faces, surface.faces)


def blocks(size: Vec, dtype: str = "uint64", seed: int = 0, labels: int = 6) -> Array:
    array = voxels(size, "uint8", labels=labels, seed=seed)[..., 0]
    return np.asfortranarray(FAR_LABELS[array] if dtype == "uint64" else array.astype(dtype))


def layer_of(folder: Path, array: Array, **options: Any) -> str:
    return make_layer(folder, array[..., np.newaxis], **{"type": "segmentation", "compress": False, **options})


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(1, 24)] * 3),
    offset=st.tuples(*[st.integers(-41, 40)] * 3),
    chunk=st.tuples(*[st.integers(3, 12)] * 3),
    cell=st.tuples(*[st.integers(2, 6)] * 3),
    cells=st.tuples(*[st.integers(1, 4)] * 3),
    dtype=st.sampled_from(["uint8", "uint16", "uint32", "uint64", "int32"]),
    open_edge=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_welded_pieces_are_the_surfaces_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    cell: Vec,
    cells: Vec,
    dtype: str,
    open_edge: bool,
    random: Any,
) -> None:
    array = blocks(size, dtype)
    path = layer_of(tmp_path_factory.mktemp("layer"), array, chunk=chunk, offset=offset)
    before = files_of(path)
    x, y, z = (a * b for a, b in zip(cell, cells, strict=True))
    job = Forge(path, shape=(x, y, z), cell=cell, simplify=False, open_edge=open_edge)
    job.prepare()
    pieces = list(job.pieces())
    for piece in random.sample(pieces * 2, 2 * len(pieces)):
        job.run(piece)
    job.finish()
    assert_same(welded(path), whole(array.astype("uint64"), offset, closed=not open_edge))
    after = files_of(path)
    assert {key: after[key] for key in before if key != "provenance"} == {
        key: data for key, data in before.items() if key != "provenance"
    }
    again = Forge(path, shape=(x, y, z), cell=cell, simplify=False, open_edge=open_edge)
    do(again)
    assert {k: v for k, v in files_of(path).items() if k != "provenance"} == {
        k: v for k, v in after.items() if k != "provenance"
    }


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(6, 26)] * 3),
    offset=st.tuples(*[st.integers(-41, 40)] * 3),
    shape=st.tuples(*[st.integers(3, 14)] * 3),
    seed=st.integers(0, 99),
)
def test_simplified_pieces_fit_together(
    tmp_path_factory: pytest.TempPathFactory, size: Vec, offset: Vec, shape: Vec, seed: int
) -> None:
    array = blocks(size, seed=seed)
    path = layer_of(tmp_path_factory.mktemp("layer"), array, offset=offset)
    do(Forge(path, shape=shape, max_error=25.5))
    found, expected = welded(path), whole(array, offset)
    assert sorted(found) == sorted(expected)
    for label, surface in found.items():
        assert open_edges(surface) == 0
        assert is_manifold(surface)
        assert euler(surface) == euler(expected[label])
        assert len(surface.faces) <= len(expected[label].faces)
        known = set(map(tuple, expected[label].vertices.tolist()))
        assert known.issuperset(map(tuple, surface.vertices.tolist()))


def test_nothing_crosses_a_cell_plane_and_flat_parts_get_few_faces(tmp_path: Path) -> None:
    array = np.zeros((40, 40, 40), np.uint32, order="F")
    array[3:37, 3:37, 3:37] = 9
    path = layer_of(tmp_path, array, offset=(-7, 0, 5))
    do(Forge(path, shape=(40, 40, 40), cell=(20, 20, 20)))
    surface = welded(path)[9]
    assert len(surface.faces) < 0.1 * len(whole(array, (0, 0, 0))[9].faces)
    corners = surface.vertices[surface.faces.astype(int)] - 2 * np.array([-7, 0, 5])
    cells = corners / 40
    assert (np.ceil(cells.max(axis=1)) - np.floor(cells.min(axis=1)) <= 1).all()


@pytest.mark.parametrize("open_edge", [False, True])
def test_a_part_is_meshed_as_if_it_were_all(tmp_path: Path, open_edge: bool) -> None:
    array = blocks((24, 24, 24))
    path = layer_of(tmp_path, array, offset=(-3, 2, 0))
    bounds = Box((1, 4, 3), (15, 20, 21))
    do(Forge(path, shape=(8, 8, 8), cell=(4, 4, 4), simplify=False, bounds=bounds, open_edge=open_edge))
    assert_same(welded(path), whole(array[4:18, 2:18, 3:21], bounds.min, closed=not open_edge))


def test_an_empty_volume_has_an_empty_file_for_each_piece(tmp_path: Path) -> None:
    path = layer_of(tmp_path, np.zeros((20, 9, 9), np.uint32, order="F"))
    job = Forge(path, shape=(8, 8, 8))
    do(job)
    assert welded(path) == {}
    keys = [key for piece in job.pieces() for key in job.outputs(piece)]
    assert len(keys) == 3 * 2 * 2
    assert all(len(files_of(path)[key]) < 100 for key in keys)


def test_missing_chunks_are_background_only_if_that_is_said(tmp_path: Path) -> None:
    array = blocks((16, 16, 16))
    path = layer_of(tmp_path, array)
    next(iter(tmp_path.glob("4_4_40/*8-16*8-16*8-16"))).unlink()
    array[8:, 8:, 8:] = 0
    with pytest.raises(BadInput, match="--fill-missing"):
        do(Forge(path, simplify=False))
    do(Forge(path, simplify=False, fill_missing=True))
    assert_same(welded(path), whole(array, (0, 0, 0)))


def test_a_higher_mip_is_meshed_in_its_own_voxels(tmp_path: Path) -> None:
    from teravox.tasks.image.downsample import Downsample

    path = layer_of(tmp_path, blocks((32, 32, 16)))
    made = Downsample(path, num_mips=1)
    made.prepare()
    made.run(made.pieces()[0])
    do(Forge(path, mip=1, simplify=False))
    layer = Layer.open(path)
    array = layer.read(layer.bounds(1), 1)[..., 0]
    assert_same(welded(path), whole(array, (0, 0, 0)))
    assert read_forged(layer, "mesh").resolution == (8, 8, 40)


def test_only_chosen_labels_are_meshed(tmp_path: Path) -> None:
    array = blocks((24, 24, 24))
    path = layer_of(tmp_path, array)
    everything = whole(array, (0, 0, 0))
    do(Forge(path, shape=(12, 12, 12), simplify=False, labels=(77, 2**64 - 1, 123456)))
    assert_same(welded(path), {label: everything[label] for label in (77, 2**64 - 1)})
    do(Forge(path, shape=(12, 12, 12), simplify=False, exclude_labels=(77, 2**64 - 1)))
    assert_same(welded(path), {label: one for label, one in everything.items() if label not in (77, 2**64 - 1)})


def test_dust_within_a_piece_is_left_out_and_what_goes_on_elsewhere_is_kept(tmp_path: Path) -> None:
    array = np.zeros((32, 16, 16), np.uint32, order="F")
    array[2:4, 2:4, 2:4] = 1  # 8 voxels within the first piece
    array[14:20, 5, 5] = 2  # 2 voxels in the first piece, 4 in the second
    array[15, 9, 9] = 3  # one voxel beside the second piece
    array[16, 12, 12] = 4  # one voxel that both pieces see
    array[20:30, 2:10, 2:10] = 5
    array[0, 0, 0] = 6  # at the edge of the volume
    path = layer_of(tmp_path, array)
    do(Forge(path, shape=(16, 16, 16), simplify=False, dust_threshold=9))
    expected = whole(array, (0, 0, 0))
    assert_same(welded(path), {label: expected[label] for label in (2, 4, 5)})
    do(Forge(path, shape=(16, 16, 16), simplify=False, dust_threshold=8))
    assert_same(welded(path), {label: expected[label] for label in (1, 2, 4, 5)})


def test_dust_of_the_whole_volume_is_known_by_its_table(tmp_path: Path) -> None:
    array = blocks((24, 24, 24))
    path = layer_of(tmp_path, array)
    sizes = dict(zip(*np.unique(array, return_counts=True), strict=True))
    threshold = int(sorted(sizes[label] for label in sizes if label)[2])
    job = Forge(path, shape=(12, 12, 12), simplify=False, dust_threshold=threshold, dust_global=True)
    with pytest.raises(BadInput, match="teravox image count"):
        job.prepare()
    do(Count(path))
    do(job)
    expected = whole(array, (0, 0, 0))
    assert_same(welded(path), {label: one for label, one in expected.items() if sizes[label] >= threshold})


@pytest.mark.parametrize("ending", ["csv", "titled.csv", "npy", "named.npy", "parquet"])
def test_labels_of_one_body_become_one_mesh(tmp_path: Path, ending: str) -> None:
    array = blocks((24, 24, 24))
    path = layer_of(tmp_path / "layer", array)
    pairs = np.array([[2**63 + 5, 2**64 - 1], [77, 2**62 + 1], [5, 6], [2**40, 0]], np.uint64)
    file = tmp_path / f"table.{ending}"
    if ending == "parquet":
        import pyarrow as pa  # type: ignore[import-untyped]  # it brings no types
        from pyarrow import parquet

        parquet.write_table(pa.table({"from": pairs[:, 0], "to": pairs[:, 1]}), file)
    elif ending == "npy":
        np.save(file, pairs)
    elif ending == "named.npy":
        np.save(file, pairs.copy().view([("a", "<u8"), ("b", "<u8")])[:, 0])
    else:
        title = "supervoxel,body\n" if "titled" in ending else ""
        file.write_text(title + "".join(f"{a},{b}\n" for a, b in pairs.tolist()))
    job = Forge(path, shape=(12, 12, 12), simplify=False, remap=KnownFile.at(str(file)), exclude_labels=(2**62 + 1,))
    job.prepare()
    file.unlink()  # workers need not have it
    for piece in job.pieces():
        job.run(piece)
    job.finish()
    became = array.copy()
    for label, other in pairs.tolist():
        became[array == label] = other
    expected = whole(became, (0, 0, 0))
    expected.pop(2**62 + 1)
    assert_same(welded(path), expected)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,2\n1,3\n", "says twice what label 1 becomes: 2 and 3"),
        ("1,2,3\n", "expected two columns"),
        ("1,-2\n", "whole numbers"),
        ("1,x\n", "whole numbers"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = layer_of(tmp_path / "layer", blocks((8, 8, 8)))
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(BadUsage, match=why):
        Forge(path, remap=KnownFile.at(str(tmp_path / "table.csv"))).prepare()


def test_a_large_table_is_read_in_parts(tmp_path: Path) -> None:
    from teravox.pipeline.objects.forging.remap_table import encode_remap, remap
    from teravox.pipeline.storage.open import open_store

    random = np.random.default_rng(1)
    first = np.unique(random.integers(0, 2**64 - 1, 100_000, np.uint64))
    pairs = np.stack([first, random.integers(0, 2**64 - 1, len(first), np.uint64)], axis=1)
    store = open_store(str(tmp_path))
    store.put("t", encode_remap(pairs))
    table = dict(pairs.tolist())
    asked = np.concatenate([random.choice(first, 500), random.integers(0, 2**64 - 1, 500, np.uint64), [first[-1]]])
    assert remap(store, "t", asked).tolist() == [table.get(label, label) for label in asked.tolist()]
    data = bytearray(encode_remap(pairs))
    data[len(data) // 2] ^= 1
    store.put("t", data)
    with pytest.raises(BadInput, match="damaged"):
        remap(store, "t", first)


@settings(max_examples=40, deadline=None)
@given(size=st.tuples(*[st.integers(1, 9)] * 3), seed=st.integers(0, 10**6), full=st.floats(0.4, 0.95))
def test_a_hole_of_one_label_is_filled_as_scipy_fills_it(size: Vec, seed: int, full: float) -> None:
    random = np.random.default_rng(seed)
    array = np.asfortranarray((random.random(size) < full).astype(np.uint16))
    expected = ndimage.binary_fill_holes(np.pad(array, 0))
    fill_cavities(array)
    assert np.array_equal(array, expected)


def test_holes_within_a_piece_are_filled_and_others_stay(tmp_path: Path) -> None:
    array = np.zeros((32, 16, 16), np.uint8, order="F")
    array[1:31, 1:15, 1:15] = 7
    array[20:, 1:15, 1:15][array[20:, 1:15, 1:15] == 7] = 9
    expected = array.copy()
    array[4:6, 5, 5] = 0  # inside of 7
    array[9, 5, 5] = 3  # a label of its own
    array[19:21, 5, 5] = expected[19:21, 5, 5] = 0  # between 7 and 9
    array[15:18, 9, 9] = expected[15:18, 9, 9] = 0  # in two pieces
    array[24, 9, 9] = 4  # dust inside of 9
    expected[9, 5, 5] = 3
    path = layer_of(tmp_path, array)
    do(Forge(path, shape=(16, 16, 16), simplify=False, fill_holes=True))
    left = expected.copy()
    left[24, 9, 9] = 4
    assert_same(welded(path), whole(left, (0, 0, 0)))
    do(Forge(path, shape=(16, 16, 16), simplify=False, fill_holes=True, dust_threshold=2))
    left[24, 9, 9], left[9, 5, 5] = 9, 7
    assert_same(welded(path), whole(left, (0, 0, 0)))


@pytest.mark.parametrize("dtype", ["uint8", "uint64"])
def test_labels_that_do_not_fit_together_are_marched_in_turn(
    tmp_path: Path, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = blocks((24, 24, 24), dtype)
    path = layer_of(tmp_path, array)
    groups = []
    choose = surfaces._choose_group

    def noted(left: Any, faces: Any, room: int, work: int) -> Any:
        groups.append(choose(left, faces, int(faces.max()) * work * 8 // 7 + 100, work))
        return groups[-1]

    monkeypatch.setattr(surfaces, "_choose_group", noted)
    do(Forge(path, simplify=False))
    assert len(groups) > 1
    assert not any(group.is_giant for group in groups)
    assert_same(welded(path), whole(array.astype("uint64"), (0, 0, 0)))


@pytest.mark.parametrize("dtype", ["uint8", "uint64"])
@pytest.mark.parametrize("simplify", [False, True])
def test_a_giant_label_is_marched_in_parts(
    tmp_path: Path, dtype: str, simplify: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = np.full((48, 30, 28), 1, dtype, order="F")
    array[::9, 3, 3] = 0
    array[20:30, 5:9, 7:9] = 0
    array[40:43, 5:9, 7:9] = 2
    path = layer_of(tmp_path, array, offset=(-5, 3, 1))
    choose = surfaces._choose_group
    giants = []

    def noted(left: Any, faces: Any, room: int, work: int) -> Any:
        giants.append(choose(left, faces, int(faces.max()) * work, work)._replace(most=15000))
        return giants[-1]

    monkeypatch.setattr(surfaces, "_choose_group", noted)
    do(Forge(path, simplify=simplify, shape=(32, 32, 32), cell=(16, 16, 16)))
    assert any(group.is_giant for group in giants)
    expected = whole(array.astype("uint64"), (-5, 3, 1))
    found = welded(path)
    if not simplify:
        assert_same(found, expected)
    for label, surface in found.items():
        assert open_edges(surface) == 0
        assert euler(surface) == euler(expected[label])


def test_a_label_that_never_fits_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = layer_of(tmp_path, blocks((24, 24, 24)))
    choose = surfaces._choose_group
    monkeypatch.setattr(surfaces, "_choose_group", lambda left, faces, room, work: choose(left, faces, 1000, work))
    with pytest.raises(TooLittleMemory, match="--memory"):
        do(Forge(path))


def test_labels_below_0_are_refused(tmp_path: Path) -> None:
    array = np.full((8, 8, 8), 3, np.int32, order="F")
    array[2, 2, 2] = -1
    with pytest.raises(BadInput, match="below 0"):
        do(Forge(layer_of(tmp_path, array)))


def test_what_cannot_be_meant_is_refused_before_anything_is_queued(tmp_path: Path) -> None:
    path = layer_of(tmp_path / "seg", blocks((16, 16, 16)))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"shape": (8, 8, 8), "cell": (3, 4, 4)}, "--shape as a multiple of --cell"),
        ({"shape": (0, 8, 8)}, "--shape"),
        ({"cell": (1, 8, 8)}, "--cell"),
        ({"bounds": Box((50, 50, 50), (60, 60, 60))}, "--bounds"),
        ({"memory_limit": 100_000_000}, "--memory"),
        ({"labels": (3, 4), "exclude_labels": (4,)}, "4 is among --labels, too"),
        ({"dust_global": True}, "--dust-threshold"),
        ({"dir": "../elsewhere"}, "no key within"),
        ({"dir": "4_4_40"}, "--dir"),
    ]
    for options, why in refused:
        with pytest.raises((BadUsage, BadInput), match=why):
            Forge(path, **options).prepare()
    pictures = make_layer(tmp_path / "em", voxels((8, 8, 8), "uint8"))
    with pytest.raises(BadUsage, match="of type image"):
        Forge(pictures).prepare()
    two = make_layer(tmp_path / "two", voxels((8, 8, 8), "uint8", channels=2), type="segmentation")
    with pytest.raises(BadUsage, match="2 channels"):
        Forge(two).prepare()
    far = layer_of(tmp_path / "far", blocks((4, 4, 4)), offset=(2**30 - 2, 0, 0))
    with pytest.raises(BadUsage, match="lie within"):
        Forge(far).prepare()
    assert not (tmp_path / "seg/mesh.fragments").exists()


def test_the_default_shape_grows_with_the_memory(tmp_path: Path) -> None:
    path = layer_of(tmp_path, blocks((16, 16, 16)))
    raw = Layer.open(path).raw
    raw["scales"][0]["size"] = [4000, 4000, 4000]
    raw["scales"][0]["chunk_sizes"] = [[64, 64, 64]]
    Layer.open(path).write_info(raw)
    for memory, shape in ((700_000_000, (128, 128, 128)), (10**9, (256, 256, 256)), (3_500_000_000, (512, 512, 512))):
        job = Forge(path, memory_limit=memory)
        piece = job.pieces()[1]
        assert np.prod(piece.size) >= np.prod(shape)
        assert max(piece.size) <= 512
        assert job.memory(piece) <= memory


def test_who_asks_too_early_is_told_to_go_on(tmp_path: Path) -> None:
    path = layer_of(tmp_path, blocks((16, 16, 16)))
    with pytest.raises(BadInput, match=r"there are no fragments .* teravox mesh forge"):
        read_forged(Layer.open(path), "mesh")
    job = Forge(path, shape=(8, 8, 8))
    job.prepare()
    job.run(job.pieces()[0])
    with pytest.raises(BadInput, match="--resume"):
        read_forged(Layer.open(path), "mesh")


@pytest.mark.parametrize(("dtype", "kind"), [("uint64", "noise"), ("uint32", "sponge"), ("uint64", "blocks")])
@pytest.mark.parametrize("simplify", [False, True])
def test_a_piece_needs_no_more_memory_than_it_says(tmp_path: Path, dtype: str, kind: str, simplify: bool) -> None:
    random = np.random.default_rng(0)
    size = {"noise": (24, 24, 24), "sponge": (88, 88, 88), "blocks": (96, 96, 96)}[kind]
    if kind == "noise":
        array = random.integers(1, 2**63, size).astype(dtype)
    elif kind == "sponge":
        array = (ndimage.gaussian_filter(random.normal(0, 1, size), 1.5) > 0).astype(dtype)
    else:
        array = np.kron(random.integers(0, 500, (12, 12, 12)), np.ones((8, 8, 8), int)).astype(dtype)
    path = layer_of(tmp_path / "layer", np.asfortranarray(array), chunk=(32, 32, 32))
    warm = Forge(layer_of(tmp_path / "warm", blocks((8, 8, 8), dtype)), simplify=simplify)
    job = Forge(path, memory_limit=550_000_000, simplify=simplify)
    job.prepare()
    promised = job.memory(job.pieces()[0])
    assert promised <= job.memory_limit
    peak, growth = measure_memory(job, warm=warm)
    assert peak <= promised
    assert growth <= promised - LIBRARIES
