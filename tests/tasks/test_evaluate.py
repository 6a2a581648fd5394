"""`evaluate count` and `evaluate reduce` on layers, against scikit-image and NumPy on the whole volume."""

from __future__ import annotations

import json
import random as python_random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet  # type: ignore[import-untyped]  # it has no types
import pytest
from evaluation.evaluating import evaluate, figures_of, files_of_report
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import Array, Vec, files_of, make_layer, read_layer, voxels
from scipy import ndimage
from skimage import metrics

from teravox.cli.main import main
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.evaluation.probabilities import in_bins
from teravox.pipeline.evaluation.report import Report
from teravox.tasks.evaluate.count import Count
from teravox.tasks.evaluate.reduce import Reduce

EXACT = 1e-9
METRICS: Any = metrics  # which has no types
FREELY = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


def two_layers(folder: Path, a: Array, b: Array, **options: Any) -> tuple[str, str]:
    return make_layer(folder / "a", a, compress=False, **options), make_layer(
        folder / "b", b, compress=False, **options
    )


def agrees_with_scikit_image(report: Report, a: Array, b: Array, ignored: tuple[int, ...]) -> None:
    """VI and Rand of the voxels whose label of A is not ignored; its precision and its recall bear each other's names."""
    assert report.labels is not None
    chosen = ~np.isin(a, ignored)
    assert report.labels.voxels == chosen.sum()
    if not chosen.any():
        assert report.labels.vi.total is None
        return
    numbers = [np.unique(one, return_inverse=True)[1].reshape(one.shape) + 1 for one in (a, b)]
    ignore = np.unique(numbers[0][~chosen]).tolist()
    split, merge = METRICS.variation_of_information(*numbers, ignore_labels=ignore)
    vi = report.labels.vi
    assert (vi.split, vi.merge, vi.total) == pytest.approx((split, merge, split + merge), abs=EXACT)
    with np.errstate(all="ignore"):
        error, recall, precision = METRICS.adapted_rand_error(*numbers, ignore_labels=ignore)
    rand = report.labels.rand
    for ours, theirs in ((rand.adapted_error, error), (rand.recall, recall), (rand.precision, precision)):
        assert np.isnan(theirs) if ours is None else ours == pytest.approx(theirs, abs=EXACT)


def objects_by_hand(a: Array, b: Array, ignored: tuple[int, ...]) -> list[int]:
    """How many objects match above 0.5, 0.55 … 0.95, of all pairs one by one."""
    overlaps = []
    for x in set(np.unique(a).tolist()) - {0, *ignored}:
        for y in set(np.unique(b).tolist()) - {0}:
            shared, union = ((a == x) & (b == y)).sum(), ((a == x) | (b == y)).sum()
            overlaps.append((int(shared), int(union)))
    return [sum(100 * n > least * m for n, m in overlaps) for least in range(50, 100, 5)]


@settings(max_examples=10, **FREELY)  # type: ignore[arg-type]  # of several types
@given(
    size=st.tuples(*[st.integers(1, 22)] * 3),
    offset=st.tuples(*[st.integers(-40, 40)] * 3),
    chunk=st.tuples(*[st.integers(3, 12)] * 3),
    shape=st.none() | st.tuples(*[st.integers(4, 20)] * 3),
    dtypes=st.tuples(*[st.sampled_from(["uint8", "uint16", "uint32", "uint64", "int32"])] * 2),
    labels=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    alike=st.integers(0, 22),
    ignored=st.sampled_from([(0,), (), (0, 3)]),
    rows=st.sampled_from([80, 10**6]),
    random=st.randoms(use_true_random=True),
)
def test_pieces_agree_with_scikit_image_on_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    shape: Vec | None,
    dtypes: tuple[str, str],
    labels: tuple[int, int],
    alike: int,
    ignored: tuple[int, ...],
    rows: int,
    random: python_random.Random,
) -> None:
    folder = tmp_path_factory.mktemp("evaluate")
    a, b = (voxels(size, dtype, labels=n, seed=n) for dtype, n in zip(dtypes, labels, strict=True))
    b[:alike] = a[:alike]
    first = make_layer(folder / "a", a, chunk=chunk, offset=offset, compress=False)
    second = make_layer(folder / "b", b, chunk=(8, 8, 8), offset=offset, compress=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("teravox.pipeline.evaluation.stages.room_for_rows", lambda _: rows)
        report = evaluate(first, second, folder / "d", shape=shape, ignore_label=ignored, random=random)
    x, y = a[..., 0], b[..., 0]
    agrees_with_scikit_image(report, x, y, ignored)
    assert report.objects is not None
    assert [one.matched for one in report.objects.thresholds] == objects_by_hand(x, y, ignored)
    assert report.objects.in_a == len(set(np.unique(x).tolist()) - {0, *ignored})
    assert report.objects.in_b == len(set(np.unique(y).tolist()) - {0})
    one = report.foreground
    assert one.true_positives == ((x > 0) & (y > 0)).sum()
    assert one.false_positives == ((x == 0) & (y > 0)).sum()
    assert one.false_negatives == ((x > 0) & (y == 0)).sum()
    assert one.true_negatives == ((x == 0) & (y == 0)).sum()


def test_the_report_is_the_same_for_any_pieces_ranges_order_and_repetition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = voxels((40, 30, 20), "uint32", labels=60), voxels((40, 30, 20), "uint64", labels=40, seed=1)
    b[:, 5:] = 1  # one label lies on nearly all others, so its pairs do not fit into one range
    layers = two_layers(tmp_path, a, b, offset=(-7, 3, 100))
    options: dict[str, Any] = {"heat_map": (16, 16, 16), "boundary": (1, 0, 0), "body_threshold": 100}
    whole = evaluate(*layers, tmp_path / "whole", **options)
    for number, (rows, shape) in enumerate([(10**6, (16, 16, 32)), (150, (32, 32, 32))]):
        monkeypatch.setattr("teravox.pipeline.evaluation.stages.room_for_rows", lambda _, rows=rows: rows)
        dest = tmp_path / str(number)
        order = python_random.Random(number)
        assert evaluate(*layers, dest, random=order, shape=shape, **options) == whole
        found, expected = files_of_report(dest), files_of_report(tmp_path / "whole")
        assert found == expected
        tables = [bodies(dest / side) for side in ("bodies_a", "bodies_b")]
        assert tables == [bodies(tmp_path / "whole" / side) for side in ("bodies_a", "bodies_b")]
    assert list((tmp_path / "1/bodies_b").glob("*-shared.parquet"))


def bodies(folder: Path) -> list[tuple[float, ...]]:
    """The rows of all files of a table, in the order of their labels."""
    rows = []
    for file in folder.glob("*.parquet"):
        columns = pyarrow.parquet.read_table(file).to_pydict().values()
        rows += list(zip(*columns, strict=True))
    return sorted(rows)


def test_tables_of_bodies_say_what_adds_to_vi(tmp_path: Path) -> None:
    a, b = voxels((24, 24, 24), "uint32", labels=9), voxels((24, 24, 24), "uint32", labels=5, seed=1)
    layers = two_layers(tmp_path, a, b)
    report = evaluate(*layers, tmp_path / "d", worst=3)
    assert report.labels is not None
    assert report.labels.vi.split is not None
    rows = bodies(tmp_path / "d/bodies_a")
    counted = int((a > 0).sum())
    assert sum(voxels * bits for _, voxels, bits, *_ in rows) / counted == pytest.approx(report.labels.vi.split)
    for label, size, bits, parts, largest, overlap in rows:
        others, counts = np.unique(b[a == label], return_counts=True)
        share = counts / counts.sum()
        assert (size, parts) == ((a == label).sum(), len(others))
        assert bits == pytest.approx(-(share * np.log2(share)).sum())
        assert (largest, overlap) == (others[counts.argmax()], counts.max())
    worst = sorted(rows, key=lambda row: -row[1] * row[2])[:3]
    assert [one.label for one in report.labels.worst_split] == [row[0] for row in worst]
    assert [one.vi for one in report.labels.worst_split] == pytest.approx([row[1] * row[2] / counted for row in worst])
    lines = (tmp_path / "d/worst_merge.csv").read_text().splitlines()
    assert lines[0] == "label,voxels,vi,bits,parts,largest,overlap"
    assert len(lines) == 4


def test_the_same_labels_have_no_vi_and_exchanged_layers_exchange_split_and_merge(tmp_path: Path) -> None:
    a, b = voxels((20, 20, 20), "uint32", labels=20), voxels((20, 20, 20), "uint32", labels=20, seed=1)
    first, second = two_layers(tmp_path, a, b)
    same = evaluate(first, first, tmp_path / "same").labels
    assert same is not None
    assert (same.vi.split, same.vi.merge, same.rand.adapted_error, same.worst_split) == (0.0, 0.0, 0.0, [])
    there, back = (
        evaluate(*pair, tmp_path / str(n), ignore_label=()).labels
        for n, pair in enumerate([(first, second), (second, first)])
    )
    assert there is not None
    assert back is not None
    assert (there.vi.split, there.vi.merge) == (back.vi.merge, back.vi.split)
    assert (there.rand.precision, there.rand.adapted_error) == (back.rand.recall, back.rand.adapted_error)
    assert there.worst_split == back.worst_merge


def test_known_figures_come_out(tmp_path: Path) -> None:
    a = np.ones((8, 8, 4, 1), np.uint8)
    b = np.ones((8, 8, 4, 1), np.uint8)
    b[4:] = 2
    report = evaluate(*two_layers(tmp_path, a, b), tmp_path / "halves")
    assert report.labels is not None
    assert (report.labels.vi.split, report.labels.vi.merge) == (1.0, 0.0)  # one bit says in which half
    assert report.labels.rand.precision == 1.0
    assert report.objects is not None
    assert report.objects.thresholds[0].matched == 0  # each half has 0.5, which is not more than 0.5


def test_rand_counts_pairs_of_voxels(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    a, b = (random.integers(1, 4, (5, 4, 3, 1), np.uint8) for _ in range(2))
    report = evaluate(*two_layers(tmp_path, a, b), tmp_path / "d")
    assert report.labels is not None
    in_a, in_b = (one.ravel()[:, np.newaxis] == one.ravel() for one in (a, b))
    pairs = ~np.eye(a.size, dtype=bool)
    both = (in_a & in_b)[pairs].sum()
    rand = report.labels.rand
    assert rand.precision == pytest.approx(both / in_b[pairs].sum())
    assert rand.recall == pytest.approx(both / in_a[pairs].sum())
    assert rand.index == pytest.approx((in_a == in_b)[pairs].mean())


def test_body_threshold_mask_boundary_and_ignored_background_choose_voxels(tmp_path: Path) -> None:
    a, b = voxels((30, 20, 20), "uint16", labels=12), voxels((30, 20, 20), "uint16", labels=8, seed=1)
    b[4:9] = 0
    a[:9, :9] = 5
    where = voxels((10, 20, 5), "uint8", labels=2, seed=2)
    first, second = two_layers(tmp_path, a, b, offset=(6, -4, 8), resolution=(2, 2, 2))
    mask = make_layer(tmp_path / "mask", where, offset=(2, -4, 2), resolution=(6, 2, 8))
    x, y = a[..., 0], b[..., 0]
    chosen = np.kron(where[..., 0], np.ones((3, 1, 4), np.uint8)) > 0
    sizes = np.bincount(x[chosen])
    least = int(np.median(sizes[1:]))  # of an odd number of labels, so one is as large as this
    small = tuple(np.flatnonzero(sizes < least).tolist())
    assert least in sizes
    options: dict[str, Any] = {"mask": mask, "body_threshold": least, "shape": (7, 11, 13)}
    report = evaluate(first, second, tmp_path / "1", **options)
    assert report.voxels == chosen.sum()
    agrees_with_scikit_image(report, np.where(chosen, x, 0), y, (0, *small))
    for number, (reach, shape) in enumerate([((1, 0, 2), (8, 8, 8)), ((0, 3, 0), None)]):
        report = evaluate(first, second, tmp_path / f"b{number}", boundary=reach, shape=shape)
        size = [2 * n + 1 for n in reach]
        same = ndimage.minimum_filter(x, size, mode="nearest") == ndimage.maximum_filter(x, size, mode="nearest")
        assert report.voxels == same.sum()
        agrees_with_scikit_image(report, np.where(same, x, 0), y, (0,))
    report = evaluate(first, second, tmp_path / "2", ignore_empty=True, ignore_label=(5,))
    agrees_with_scikit_image(report, np.where((y > 0) & (x != 5), x + 1, 0), y, (0,))


def test_the_heat_map_has_the_vi_of_what_is_connected_within_each_region(tmp_path: Path) -> None:
    size, offset, region = (30, 21, 14), (-9, 5, 33), (8, 16, 8)
    a, b = voxels(size, "uint32", labels=4), voxels(size, "uint64", labels=3, seed=1)
    a[11:20, 3:9] = 0
    layers = two_layers(tmp_path, a, b, offset=offset, resolution=(3, 4, 5.5))
    report = evaluate(*layers, tmp_path / "d", heat_map=region, shape=(16, 16, 24))
    low = [n // r for n, r in zip(offset, region, strict=True)]
    high = [-(-(n + s) // r) for n, s, r in zip(offset, size, region, strict=True)]
    expected = np.zeros([end - start for start, end in zip(low, high, strict=True)])
    for cell in np.ndindex(expected.shape):
        part = tuple(
            slice(max(0, (c + start) * r - o), (c + start + 1) * r - o)
            for c, start, r, o in zip(cell, low, region, offset, strict=True)
        )
        x, y = (_components(one[..., 0][part]) for one in (a, b))
        expected[cell] = sum(METRICS.variation_of_information(x, y, ignore_labels=[0])) if (x > 0).any() else 0
    found = read_layer(str(tmp_path / "d/heat_map/total"), 0)[..., 0]
    assert np.allclose(found, expected, atol=1e-6)
    info = json.loads((tmp_path / "d/heat_map/total/info").read_text())
    assert info["scales"][0]["resolution"] == [24, 64, 44]
    assert info["scales"][0]["voxel_offset"] == low
    both = [read_layer(str(tmp_path / "d/heat_map" / what), 0) for what in ("split", "merge")]
    assert np.allclose(both[0] + both[1], found[..., np.newaxis], atol=1e-6)
    assert report.heat_map is not None
    assert report.heat_map.worst[0].total == pytest.approx(expected.max())
    assert len((tmp_path / "d/regions.csv").read_text().splitlines()) == expected.size + 1
    assert _picture_size(tmp_path / "d/heat_map/total.png")[0] > expected.shape[0]


def _components(labels: Array) -> Array:
    """The 6-connected pieces of each label, numbered; 0 stays 0."""
    found = np.zeros(labels.shape, np.int64)
    for label in set(np.unique(labels).tolist()) - {0}:
        pieces, _ = ndimage.label(labels == label)
        found[pieces > 0] = pieces[pieces > 0] + found.max()
    return found


def _picture_size(path: Path) -> tuple[int, int]:
    from PIL import Image

    with Image.open(path) as picture:
        picture.load()
        return picture.size


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_probabilities_have_the_areas_of_their_curves(tmp_path: Path, dtype: str) -> None:
    random = np.random.default_rng(5)
    a = voxels((20, 20, 20), "uint8", labels=2)
    score = np.clip(random.normal(0.4, 0.2, (*a.shape[:3], 2)) + 0.2 * a, 0, 1)
    score[random.random(score.shape) < 0.1] = 1.0
    steps = {"uint8": 255, "uint16": 65535, "float32": 65536}[dtype]
    stored = score.astype(dtype) if dtype == "float32" else np.rint(score * steps).astype(dtype)
    first = make_layer(tmp_path / "a", a)
    second = make_layer(tmp_path / "b", np.asfortranarray(stored), chunk=(20, 10, 5))
    report = evaluate(first, second, tmp_path / "d", probabilities=True, channel=1, threshold=0.6, shape=(9, 20, 20))
    truth, value = a[..., 0].ravel() > 0, stored[..., 1].ravel().astype(np.float64)
    if dtype == "float32":
        value = np.minimum(np.floor(value * steps), steps - 1)
    assert report.probability is not None
    curve = report.probability.curve
    ranks = ndimage_ranks(value)
    positives, negatives = truth.sum(), (~truth).sum()
    area = (ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    assert curve.roc_auc == pytest.approx(area, abs=1e-12)
    precision = []
    dice = []
    for least in np.unique(value)[::-1]:
        called = value >= least
        precision.append(((called & truth).sum() / called.sum(), (called & truth).sum() / positives))
        dice.append(2 * (called & truth).sum() / (called.sum() + positives))
    recall = np.diff([0.0, *(r for _, r in precision)])
    assert curve.average_precision == pytest.approx(sum(p * r for (p, _), r in zip(precision, recall, strict=True)))
    assert curve.best_dice == pytest.approx(max(dice))
    called = value >= np.ceil(0.6 * steps)
    assert report.foreground.true_positives == (called & truth).sum()
    assert report.foreground.false_positives == (called & ~truth).sum()
    assert report.labels is None
    assert report.objects is None


def ndimage_ranks(values: Array) -> Array:
    """The ranks of values, from 1 up; equal ones have the mean of theirs."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values))


def test_classes_that_mean_the_same_are_compared_one_by_one(tmp_path: Path) -> None:
    a, b = voxels((20, 20, 20), "uint8", labels=4), voxels((20, 20, 20), "uint8", labels=6, seed=1)
    b[:12] = a[:12]
    report = evaluate(*two_layers(tmp_path, a, b), tmp_path / "d", classes=True, shape=(9, 20, 20))
    assert report.classes is not None
    assert report.classes.agreement == pytest.approx((a == b).mean())
    assert [one.label for one in report.classes.classes] == [0, 1, 2, 3, 4, 5]
    for one in report.classes.classes:
        x, y = a == one.label, b == one.label
        found = one.figures
        assert (found.true_positives, found.false_positives) == ((x & y).sum(), (~x & y).sum())
        assert (found.false_negatives, found.true_negatives) == ((x & ~y).sum(), (~x & ~y).sum())
    dice = [one.figures.dice for one in report.classes.classes if one.label]
    assert report.classes.mean_dice == pytest.approx(sum(one or 0 for one in dice) / 5)
    rows = [tuple(map(int, line.split(","))) for line in (tmp_path / "d/confusion.csv").read_text().split()[1:]]
    pairs, counts = np.unique(np.stack([a.ravel(), b.ravel()], 1), axis=0, return_counts=True)
    assert rows == [(*pair, n) for pair, n in zip(pairs.tolist(), counts.tolist(), strict=True)]
    many = np.arange(42**3, dtype=np.uint32).reshape(42, 42, 42, 1)
    with pytest.raises(BadInput, match="no classes"):
        evaluate(*two_layers(tmp_path / "many", many, many, chunk=(42, 42, 42)), tmp_path / "e", classes=True)


def test_bins_of_probabilities_are_of_equal_width() -> None:
    values = np.array([0, 0.99 / 65536, 1 / 65536, 0.5, 65534 / 65536, 65535 / 65536, 1], np.float32)
    assert in_bins(values, "here").tolist() == [0, 0, 1, 32768, 65534, 65535, 65535]


def test_what_is_no_probability_is_named(tmp_path: Path) -> None:
    a = np.ones((4, 4, 4, 1), np.uint8)
    for number, bad in enumerate([1.5, -0.1, np.nan]):
        b = np.full((4, 4, 4, 1), 0.5, np.float32)
        b[1, 2, 3] = bad
        layers = two_layers(tmp_path / str(number), a, b)
        with pytest.raises(BadInput, match="not between 0 and 1"):
            evaluate(*layers, tmp_path / "d", probabilities=True)


def test_layers_may_differ_in_bounds_chunks_encoding_and_mips(tmp_path: Path) -> None:
    a, b = voxels((33, 22, 17), "uint32", labels=9), voxels((30, 30, 30), "uint64", labels=9, seed=1)
    first = make_layer(tmp_path / "a", a, type="segmentation", encoding="compressed_segmentation", offset=(3, 0, -2))
    second = make_layer(tmp_path / "b", b, type="segmentation", encoding="crackle", chunk=(16, 16, 16))
    for layer in (first, second):
        assert main(["image", "downsample", layer, "--num-mips", "1", "--factor", "2,2,2", "-q"]) == 0
    report = evaluate(first, second, tmp_path / "d", bounds=Box((5, 5, 5), (50, 50, 50)))
    assert report.bounds == Box((5, 5, 5), (30, 22, 15))
    agrees_with_scikit_image(report, a[2:27, 5:22, 7:17, 0], b[5:30, 5:22, 5:15, 0], (0,))
    report = evaluate(first, second, tmp_path / "e", mip=1)
    assert (report.mip_a, report.mip_b) == (1, 1)
    low, high = report.bounds.min, report.bounds.max
    x, y = (read_layer(layer, 1)[..., 0] for layer in (first, second))
    x = x[tuple(slice(a - o, b - o) for a, b, o in zip(low, high, (1, 0, -1), strict=True))]
    y = y[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    agrees_with_scikit_image(report, x, y, (0,))


def test_missing_chunks_are_background_where_one_says_so(tmp_path: Path) -> None:
    a = np.ones((16, 8, 8, 1), np.uint8)
    first, second = two_layers(tmp_path, a, a)
    next((tmp_path / "b/4_4_40").iterdir()).unlink()
    with pytest.raises(BadInput, match="--fill-missing"):
        evaluate(first, second, tmp_path / "d")
    report = evaluate(first, second, tmp_path / "e", fill_missing=True)
    assert report.foreground.false_negatives == 512


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mip": 1}, "no mip 1"),
        ({"b": "fine"}, "--mip: .* only voxels of one size"),
        ({"b": "fine", "mip_b": 0}, "--mip-b: .* only voxels of one size"),
        ({"b": "float"}, "--probabilities"),
        ({"a": "float"}, "labels are whole numbers"),
        ({"a": "two"}, "2 channels"),
        ({"b": "two"}, "2 channels"),
        ({"probabilities": True, "b": "wide"}, "uint8, uint16 or float32"),
        ({"probabilities": True, "channel": 1}, "--channel"),
        ({"probabilities": True, "heat_map": (8, 8, 8)}, "--heat-map: means nothing"),
        ({"threshold": 0.2}, "--threshold: means nothing"),
        ({"boundary": (0, -1, 0)}, "--boundary"),
        ({"heat_map": (0, 8, 8)}, "--heat-map"),
        ({"heat_map": (8, 8, 8), "shape": (12, 8, 8)}, "--shape: expected multiples"),
        ({"shape": (0, 8, 8)}, "--shape"),
        ({"ignore_label": (2**64,)}, "--ignore-label"),
        ({"bounds": Box((90, 0, 0), (99, 9, 9))}, "--bounds"),
        ({"mask": "fine"}, "--mask"),
        ({"mask": "two"}, "--mask: .* 2 channels"),
        ({"dest": "a/report"}, "--dest"),
        ({"dest": "b"}, "--dest"),
        ({"b": "far"}, "share no voxel"),
        ({"memory_limit": 10**8}, "--memory"),
        ({"shape": (2000, 2000, 200), "b": "vast", "a": "vast"}, "--shape: .* needs"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    refused: Path, options: dict[str, Any], said: str
) -> None:
    told = {"a": "a", "b": "b", "dest": "d", **options}
    for name in ("a", "b", "dest", "mask"):
        if name in told:
            told[name] = str(refused / told[name])
    before = files_of(str(refused))
    with pytest.raises((BadUsage, BadInput), match=said):
        Count(**told).prepare()
    assert files_of(str(refused)) == before


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refused")
    small = np.ones((8, 8, 8, 1), np.uint32)
    make_layer(folder / "a", small.astype(np.uint8))
    make_layer(folder / "b", small.astype(np.uint8))
    make_layer(folder / "wide", small)
    make_layer(folder / "far", small, offset=(100, 0, 0))
    make_layer(folder / "fine", small, resolution=(4, 4, 30))
    make_layer(folder / "two", np.ones((8, 8, 8, 2), np.uint8))
    make_layer(folder / "float", small.astype(np.float32))
    make_layer(folder / "vast", small, chunk=(64, 64, 64))
    info = json.loads((folder / "vast/info").read_text())
    info["scales"][0]["size"] = [4000, 4000, 4000]
    (folder / "vast/info").write_text(json.dumps(info))
    return folder


def test_too_many_pairs_for_the_memory_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = np.arange(8**3, dtype=np.uint32).reshape(8, 8, 8, 1)
    layers = two_layers(tmp_path, a, a)
    monkeypatch.setattr("teravox.pipeline.evaluation.counting.room_for_pairs", lambda *_: 100)
    with pytest.raises(BadInput, match=r"more than 100 pairs.*--memory"):
        evaluate(*layers, tmp_path / "d")


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    a = voxels((16, 8, 8), "uint8", labels=9)
    first, second = two_layers(tmp_path, a, a)
    count = Count(a=first, b=second, dest=str(tmp_path / "d"), shape=(8, 8, 8))
    count.prepare()
    for piece in count.pieces():
        count.run(piece)
    reduce = Reduce(a=first, b=second, dest=str(tmp_path / "d"), shape=(8, 8, 8))
    reduce.prepare()
    file = tmp_path / "d" / count.outputs(count.pieces()[1])[-1]
    whole = file.read_bytes()
    damaged = bytearray(whole)
    damaged[-3] ^= 1
    for data, said in ((whole[:-8], "ends within its rows"), (bytes(damaged), "digest"), (whole[:20], "head")):
        file.write_bytes(data)
        with pytest.raises(BadInput, match=said):
            reduce.run(reduce.pieces()[0])
    file.unlink()
    with pytest.raises(BadInput, match="missing"):
        reduce.prepare()


def test_the_command_prints_the_figures_and_leaves_the_report_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = voxels((16, 16, 16), "uint8", labels=9), voxels((16, 16, 16), "uint8", labels=5, seed=1)
    layers = two_layers(tmp_path, a, b)
    before = [files_of(layer) for layer in layers]
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *layers, "--dry-run"]) == 0
    assert "1 task" in capsys.readouterr().out
    assert not (tmp_path / "evaluate-a-b").exists()
    words = ["evaluate", "a", "b", "--heat-map", "8,8,8", "--shape", "8,8,8"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    split, merge = METRICS.variation_of_information(a[..., 0], b[..., 0], ignore_labels=[0])
    assert f"{split + merge:.4f} bits = split {split:.4f} + merge {merge:.4f}" in printed
    assert "without those that A labels 0" in printed
    assert str(tmp_path / "evaluate-a-b/report.json") in printed
    names = {path.name for path in (tmp_path / "evaluate-a-b").iterdir()}
    assert names == {
        *("report.json", "bodies_a", "bodies_b", "worst_split.csv", "worst_merge.csv"),
        *("heat_map", "regions.csv", "provenance"),
    }
    assert [files_of(layer) for layer in layers] == before
    first = figures_of(tmp_path / "evaluate-a-b")
    assert main([*words, "--keep", "-q"]) == 0
    assert figures_of(tmp_path / "evaluate-a-b") == first
    assert (tmp_path / "evaluate-a-b/stages").exists()


RUN_ALONE = """
import sys, msgspec
from pathlib import Path
from teravox.pipeline.base_memory import LIBRARIES
from teravox.tasks.evaluate.count import Count
from teravox.tasks.evaluate.reduce import Reduce

def memory(word):  # of this process alone; ru_maxrss would tell of the parent, too
    return int(Path("/proc/self/status").read_text().split(word + ":")[1].split()[0]) * 1024

for at, kind in enumerate((Count, Reduce, Reduce)):
    for text in (sys.argv[1 + at], sys.argv[4 + at]):  # the small one loads what all need
        job = msgspec.json.decode(text, type=kind)
        job.prepare()
        said = max(job.memory(piece) for piece in job.pieces()) - LIBRARIES
        before = memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
        for piece in job.pieces():
            job.run(piece)
    print(said, memory("VmHWM") - before)
"""


@pytest.mark.parametrize(
    ("size", "labels", "options"),
    [
        ((256, 256, 64), 60, {"boundary": (2, 2, 2), "memory_limit": 800_000_000}),
        ((128, 128, 32), None, {"heat_map": (128, 128, 32), "memory_limit": 1_050_000_000}),  # each voxel is a pair
    ],
)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says how much memory was needed")
def test_no_task_needs_more_memory_than_it_says(
    tmp_path: Path, size: Vec, labels: int | None, options: dict[str, Any]
) -> None:
    jobs = []
    for whole in ((16, 16, 16), size):
        folder = tmp_path / str(whole[0])
        a, b = (
            voxels(whole, "uint64", labels=labels, seed=n)
            if labels
            else np.random.default_rng(n).integers(1, 2**60, (*whole, 1), np.uint64)
            for n in (0, 1)
        )
        layers = two_layers(folder, a, b, chunk=(64, 64, 64))
        told = {"a": layers[0], "b": layers[1], "dest": str(folder / "d"), "shape": size, **options}
        jobs += [Count(**told), Reduce(**told, side="a"), Reduce(**told, side="b")]
    words = [sys.executable, "-c", RUN_ALONE, *(msgspec.json.encode(job).decode() for job in jobs)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        print(line)
        said, needed = map(int, line.split())
        assert needed < said, line
