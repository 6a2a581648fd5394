"""`skeleton merge`: a label that is too large for memory is joined and cleaned in a file, and comes out the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from meshes.forging import do, job
from skeletons.fragmented import fragment
from skeletons.graphs import line, some_tree

from teravox.kernels.skeleton.weld import weld
from teravox.pipeline.errors import BadInput, TooLittleMemory
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.skeletons.merging import giant, memory
from teravox.pipeline.skeletons.skeleton_info import Attribute
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

GIANT = 7
ENOUGH = 130_000  # for each of the others, as free memory, and not for the giant
ATTRIBUTES = (Attribute("cross_sectional_area", "float32"), Attribute("place", "int32", 3))


@pytest.fixture
def layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A giant with loops and twigs in many pieces, among trees."""
    monkeypatch.setattr(memory, "BASE", 0)
    monkeypatch.setattr(memory, "ROW", 0)
    monkeypatch.setattr(memory, "SIZE", memory.SIZE._replace(least_memory=lambda rows: rows))
    monkeypatch.setattr(giant, "ON_THE_WAY", 0)
    monkeypatch.setattr(giant, "LEAST_PAGES", 1000)
    monkeypatch.setattr(giant, "ROWS", 100)
    wires = [line((2, y, z), (90, y, z), 60) for y in (5, 9, 40, 70) for z in (3, 33)]
    rungs = [line((x, 5, 3), (x, 70, 3), 30) for x in (20, 50, 80)]
    twigs = [line((x, 40, 33), (x, 44, 37), 20) for x in range(10, 80, 7)]
    labels = {label: some_tree(label, 30).moved((48, 48, 32)) for label in range(20, 26)}
    labels[GIANT] = weld([*wires, *rungs, *twigs]).skeleton
    for one in labels.values():
        one.attributes.clear()
        one.attributes["cross_sectional_area"] = np.arange(len(one.vertices)).astype(np.float32)
        one.attributes["place"] = one.vertices
    return fragment(tmp_path / "seg", labels, attributes=ATTRIBUTES).url.removeprefix("file://")


def merge(layer: str, format: str, **options: Any) -> dict[int, Any]:  # Any: of the kind; skeletons
    """Merge, and read all skeletons."""
    do(job("skeleton merge", layer, format=format, tick_threshold=100.0, min_cable_length=0.0, **options))
    source = SkeletonSource.open(Layer.open(layer, fresh=True))
    return {label: source.get(label) for label in source.labels()}


def files(layer: str) -> dict[str, bytes]:
    folder = Path(layer, Layer.open(layer, fresh=True).raw["skeletons"])
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.name != "info"}


@pytest.fixture
def giants(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The giants that were merged, as they come."""
    found: list[int] = []
    whole = giant.merge_giant

    def watched(labels: Any, at: int, *rest: Any) -> Any:  # Any: what the function takes
        found.append(int(labels.labels[at]))
        return whole(labels, at, *rest)

    monkeypatch.setattr("teravox.pipeline.skeletons.merging.merge.merge_giant", watched)
    return found


@pytest.mark.parametrize("format", ["sharded", "legacy"])
def test_a_giant_is_the_same_as_if_it_had_fitted_whatever_is_done_twice(
    layer: str, giants: list[int], format: str
) -> None:
    wanted = merge(layer, format)
    assert giants == []
    found = merge(layer, format, memory=ENOUGH)
    assert giants == [GIANT]
    assert set(found) == set(wanted)
    for label, one in wanted.items():
        assert np.array_equal(one.vertices, found[label].vertices)
        assert np.array_equal(one.edges, found[label].edges)
        for name in ("radius", "cross_sectional_area", "place"):
            assert np.array_equal(one.attributes[name], found[label].attributes[name])
    once = files(layer)
    again = job("skeleton merge", layer, format=format, tick_threshold=100.0, min_cable_length=0.0, memory=ENOUGH)
    do(again, lambda pieces: random.Random(1).sample(list(pieces) * 2, 2 * len(pieces)))
    assert files(layer) == once


def test_a_giant_that_is_all_dust_is_left_out(layer: str, giants: list[int]) -> None:
    do(job("skeleton merge", layer, min_cable_length=1e9, memory=ENOUGH))
    assert giants == [GIANT]
    assert files(layer) == {}


def test_what_cannot_be_merged_within_the_memory_says_how_much_it_takes(
    layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giant, "LEAST_PAGES", 10**9)
    with pytest.raises(TooLittleMemory, match=r"--memory: label 7 has a fragment that takes .*; give it 1\.0 GB"):
        merge(layer, "sharded", memory=ENOUGH)


def test_more_vertices_than_a_skeleton_holds_are_refused(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giant, "MOST_VERTICES", 500)
    with pytest.raises(BadInput, match=r"label 7 has [\d,]+ vertices, and a skeleton holds 500; .*--exclude-labels"):
        merge(layer, "sharded", memory=ENOUGH)


def test_damage_to_a_giants_fragment_is_named(layer: str) -> None:
    largest = max(
        Path(layer, "skeleton.fragments/0123456789abcdef").glob("*.frags"), key=lambda file: len(file.read_bytes())
    )
    data = largest.read_bytes()
    largest.write_bytes(data[:-60] + bytes(60))
    with pytest.raises(BadInput, match=f"{largest.name} cannot be read"):
        merge(layer, "sharded", memory=ENOUGH)
