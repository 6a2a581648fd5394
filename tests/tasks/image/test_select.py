"""`teravox image select`: labels that a condition on their table keeps."""

from __future__ import annotations

from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import make_layer, read_layer, voxels

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.job import AnyJob
from teravox.pipeline.selection.condition import parse_condition
from teravox.tasks.image.count import Count
from teravox.tasks.image.select import Select

LABELS = voxels((20, 17, 9), "uint32", labels=6, seed=3)


def do(job: AnyJob) -> None:
    job.prepare()
    for piece in reversed(job.pieces()):
        assert job.memory(piece) > 0
        job.run(piece)
        job.run(piece)
    job.finish()


@pytest.fixture
def source(tmp_path: Path) -> str:
    layer = make_layer(tmp_path / "source", LABELS, offset=(3, -5, 1), type="segmentation")
    do(Count(layer))
    return layer


@pytest.mark.parametrize(
    "options", [{}, {"shape": (8, 16, 8)}, {"sharded": True, "encoding": "compressed_segmentation"}]
)
def test_labels_that_hold_are_kept_and_others_are_not(source: str, tmp_path: Path, options: dict[str, Any]) -> None:
    dest = str(tmp_path / "dest")
    do(Select(source, dest, where="voxels >= 500 and label != 2 or label == 1", **options))
    sizes = np.bincount(LABELS.ravel())
    kept = [label for label in range(1, 6) if (sizes[label] >= 500 and label != 2) or label == 1]
    assert 0 < len(kept) < 5
    np.testing.assert_array_equal(read_layer(dest, 0), np.where(np.isin(LABELS, kept), LABELS, 0))


def test_labels_of_64_bits_are_compared_exactly(tmp_path: Path) -> None:
    labels = np.zeros((9, 8, 8, 1), np.uint64, order="F")
    labels[0], labels[1], labels[2] = 2**62, 2**62 + 1, 2**62 + 2
    source, dest = make_layer(tmp_path / "source", labels, type="segmentation"), str(tmp_path / "dest")
    do(Count(source))
    do(Select(source, dest, where=f"label > {2**62}"))
    np.testing.assert_array_equal(read_layer(dest, 0), np.where(labels > 2**62, labels, 0))


def test_another_condition_in_the_same_place_begins_anew(source: str, tmp_path: Path) -> None:
    dest = str(tmp_path / "dest")
    for label in (1, 4):
        do(Select(source, dest, where=f"label == {label}"))
        assert set(np.unique(read_layer(dest, 0)).tolist()) == {0, label}


def test_nothing_may_be_kept(source: str, tmp_path: Path) -> None:
    do(Select(source, str(tmp_path / "dest"), where="voxels < 1"))
    assert not read_layer(str(tmp_path / "dest"), 0).any()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "--where: expected comparisons like COLUMN < NUMBER with and or or between them"),
        ("voxels => 3", "such as voxels >= 100 and at_border == 0, got 'voxels => 3'"),
        ("voxels > 3 and", "got ''"),
        ("voxels > x", "got 'voxels > x'"),
        ("__import__('os') > 1", "--where: expected comparisons"),
        ("size > 3", r"--where: the labels of mip 0 .* have no column 'size' \(they have label, voxels,"),
    ],
)
def test_conditions_that_cannot_be_meant_are_refused(source: str, tmp_path: Path, where: str, said: str) -> None:
    with pytest.raises(BadUsage, match=said):
        Select(source, str(tmp_path / "dest"), where=where).prepare()
    assert not (tmp_path / "dest").exists()


def test_labels_must_have_been_counted(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", LABELS, type="segmentation")
    with pytest.raises(BadInput, match="have not been counted: teravox image count"):
        Select(source, str(tmp_path / "dest"), where="voxels > 3").prepare()
    with pytest.raises(BadUsage, match="is the layer that is read"):
        Select(source, source, where="voxels > 3").prepare()


def test_fractions_and_channels_are_no_labels(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((4, 4, 4), "uint8", channels=2))
    with pytest.raises(BadUsage, match="holds 2 x uint8, and labels are whole numbers, one a voxel"):
        Select(source, str(tmp_path / "dest"), where="voxels > 3").prepare()


HOW = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}
NUMBERS = st.integers(-3, 9) | st.floats(-3, 9, allow_nan=False).map(lambda number: round(number, 2))
COMPARISONS = st.tuples(st.sampled_from("ab"), st.sampled_from(sorted(HOW)), NUMBERS)


@settings(max_examples=40, deadline=None)
@given(groups=st.lists(st.lists(COMPARISONS, min_size=1, max_size=3), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_a_condition_means_what_it_means_in_python(groups: list[list[tuple[str, str, float]]], seed: int) -> None:
    text = " or ".join(" and ".join(f"{name} {how} {number}" for name, how, number in group) for group in groups)
    columns = {name: np.random.default_rng([seed, at]).integers(0, 6, 12) for at, name in enumerate("ab")}
    found = parse_condition(text).holds(columns)
    for at in range(12):
        holds = any(all(HOW[how](int(columns[name][at]), number) for name, how, number in group) for group in groups)
        assert found[at] == holds


def test_the_command_says_how_many_are_kept(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["image", "select", source, str(tmp_path / "dest"), "--where", "label < 3"]
    assert main([*words, "--dry-run"]) == 0
    assert not (tmp_path / "dest").exists()
    assert main(words) == 0
    assert "2 labels are kept in" in capsys.readouterr().out
