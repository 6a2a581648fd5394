"""`teravox stitch auto`, `explain` and `what-if`, as they are typed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from layers.make import files_of
from numpy.typing import NDArray
from stitching.make_blocks import cut_into_blocks, run_all, stitch

from teravox.cli.main import main
from teravox.pipeline.layers.layer import Layer
from teravox.tasks.stitch.match import Match


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Stitch = Callable[..., Ran]
BOLD = ("--rule", "custom", "--min-large", "90")  # each bar lies as a whole in what the middle block takes for one


@pytest.fixture(autouse=True)
def _no_settings_of_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("TERAVOX_") and name not in ("TERAVOX_TEST_PROCESS", "TERAVOX_DATA"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Stitch:
    """Runs `teravox stitch …`."""

    def run(*words: str) -> Ran:
        capsys.readouterr()
        code = main(["stitch", *words])
        return Ran(code, *capsys.readouterr())

    return run


def bars() -> NDArray[np.uint32]:
    """Three bars along x: 1 is thick, 2 and 3 are thin and one beside the other."""
    whole = np.zeros((36, 12, 8), np.uint32, order="F")
    whole[:, 0:5, :] = 1
    whole[:, 6:9, 0:4] = 2
    whole[:, 9:12, 0:4] = 3
    return whole


@pytest.fixture
def layer(tmp_path: Path) -> str:
    """Three blocks; the one in the middle takes bar 3 for bar 2."""
    folder = tmp_path / "seg"

    def muddle(index: int, values: NDArray[Any]) -> NDArray[Any]:
        return np.where(values == 3, 2, values) if index == 1 else values

    return cut_into_blocks(folder, bars(), shape=(12, 12, 8), halo=(4, 4, 4), offset=(100, 0, -8), muddle=muddle)


def test_auto_does_all_stages_and_does_nothing_when_they_are_done(run: Stitch, layer: str) -> None:
    ran = run("auto", layer, "-p", "2")
    assert (ran.code, ran.err) == (0, "")
    assert "10 tasks done in" in ran.out  # 3 blocks in three stages, and a group
    assert ran.out.endswith(f"file://{layer} holds 4 bodies.\n")
    before = files_of(layer)
    ran = run("auto", layer)
    assert (ran.code, ran.out, files_of(layer)) == (0, f"file://{layer} holds 4 bodies.\n", before)


def test_auto_writes_again_what_another_rule_has_overwritten(run: Stitch, layer: str) -> None:
    bodies = []
    for words in ([], ["--keep-bridges"], []):
        assert run("auto", layer, "-q", "--overwrite", *BOLD, *words) == (0, "", "")
        written = Layer.open(layer, fresh=True)
        bodies.append(written.read(written.bounds(0), 0))
    np.testing.assert_array_equal(bodies[0], bodies[2])
    assert len(np.unique(bodies[1])) < len(np.unique(bodies[0]))
    assert run("explain", layer, "100,7,-8", "112,7,-8").out.startswith("The rule is custom.")


def test_bodies_that_people_may_look_at_are_not_mixed_with_others(run: Stitch, layer: str, tmp_path: Path) -> None:
    assert run("auto", layer, "-q").code == 0
    before = files_of(layer)
    for words in (["--rule", "any"], ["--min-size", "9"]):
        ran = run("auto", layer, "-q", *words)
        assert (ran.code, files_of(layer)) == (2, before)
        assert "holds bodies by the rule medium, as it was asked" in ran.err
        assert "write into another layer with --dest, or say --overwrite" in ran.err
    assert run("auto", layer, "-q", "--rule", "any", "--dest", str(tmp_path / "other")).code == 0
    assert run("auto", layer, "-q").code == 0  # the same again


def test_auto_says_what_it_would_do_and_writes_nothing(run: Stitch, layer: str) -> None:
    before = files_of(layer)
    ran = run("auto", layer, "--dry-run", "--sharded")
    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines()[:4]] == [
        ["stitch", "match", "3", "tasks"],
        ["stitch", "resolve", "3", "tasks"],
        ["stitch", "resolve", "1", "task"],
        ["stitch", "relabel", "3", "tasks"],
    ]
    assert "3 shards of 12,12,8 voxels" in ran.out
    assert files_of(layer) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--interval", "2"], "--interval: means nothing without --queue"),
        (["--iou", "0.5"], "--iou: means nothing with --rule medium; it is for custom"),
        (["--blocks", "two"], "blocks/two/plan.json is missing"),
        (["--rule", "brave"], "expected none, conservative, medium, aggressive, any or custom"),
        (["--min-fraction", "1.5"], "--min-fraction"),
    ],
)
def test_auto_refuses_nonsense_before_anything_is_done(run: Stitch, layer: str, words: list[str], said: str) -> None:
    before = files_of(layer)
    ran = run("auto", layer, *words)
    assert ran.code != 0
    assert said in ran.err
    assert files_of(layer) == before


def ids(layer: str) -> NDArray[np.uint64]:
    """The ids of the three bars in each of the three blocks."""
    stitched = stitch(layer, rule="none")
    return np.array([[stitched[12 * block + 6, y, 1] for y in (2, 7, 10)] for block in range(3)])


def test_explain_shows_the_joins_that_lead_from_one_label_to_another(run: Stitch, layer: str) -> None:
    labels = ids(layer)
    ran = run("explain", layer, str(labels[0, 0]), str(labels[2, 0]), "--rule", "conservative")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[:3] == [
        "The rule is conservative.",
        f"{labels[0, 0]} and {labels[2, 0]} share no voxel that both their blocks have seen.",
        "They are one body: 2 joins lead from one to the other.",
    ]
    assert lines[3] == (
        f"  {labels[0, 0]} and {labels[1, 0]}, in x between 100,0,-8:112,12,0 and 112,0,-8:124,12,0: 320 voxels, "
        "100.0% and 100.0% of what the two have there; joined: each shares most with the other, at least 90% of what it has there"
    )
    assert len(lines) == 5


def test_explain_names_labels_by_a_voxel_too(run: Stitch, layer: str) -> None:
    labels = ids(layer)
    by_id = run("explain", layer, str(labels[0, 0]), str(labels[2, 0]), "--json", "--rule", "any").out
    assert run("explain", layer, "100,0,-8", "135,4,-1", "--json", "--rule", "any").out == by_id


def test_explain_shows_where_two_bodies_meet_that_were_not_joined(run: Stitch, layer: str) -> None:
    labels = ids(layer)
    said = json.loads(run("explain", layer, str(labels[0, 1]), str(labels[0, 2]), "--rule", "medium", "--json").out)
    assert not said["joined"]
    assert said["labels"] == [3, 1]
    ran = run("explain", layer, str(labels[0, 2]), str(labels[1, 1]), "--rule", "medium")
    assert "They are not one body" in ran.out
    assert f"{labels[0, 2]} and {labels[1, 1]}, in x between" in ran.out
    shares = "96 voxels, 100.0% and 50.0% of what the two have there; not joined: "
    assert f"{shares}one of them shares more with another" in ran.out
    ran = run("explain", layer, str(labels[0, 2]), str(labels[1, 1]), *BOLD)
    assert f"{shares}it would join two labels of one block that touch each other there" in ran.out
    ran = run("explain", layer, str(labels[0, 1]), str(labels[0, 2]), *BOLD, "--keep-bridges")
    assert "They are one body: 2 joins lead from one to the other." in ran.out


def test_explain_takes_the_rule_that_the_layer_was_written_with(run: Stitch, layer: str) -> None:
    stitch(layer, rule="aggressive", min_overlap=7)
    stitch(layer, rule="none", dest=f"{layer}-apart")
    assert run("explain", layer, "100,0,-8", "135,4,-1").out.startswith("The rule is aggressive.")
    refused = run("explain", layer, "100,0,-8", "135,4,-1", "--min-overlap", "3")
    assert refused.code == 2
    assert "--min-overlap: means nothing without --rule" in refused.err


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("7", "no block has a label with the id 7"),
        ("99999999999", "no block has a label with the id"),
        ("99,0,-8", "lies outside of the blocks, which are 100,0,-8:136,12,0"),
        ("100,5,-8", "the voxel 100,5,-8 is background"),
        ("here", "expected the id of a label, or a voxel as x,y,z, got 'here'"),
    ],
)
def test_explain_refuses_what_is_no_label(run: Stitch, layer: str, label: str, said: str) -> None:
    run_all(Match(layer=layer))
    ran = run("explain", layer, label, "100,0,-8")
    assert ran.code == 2
    assert said in ran.err


def test_explain_says_that_a_preserved_body_is_joined_with_nothing(run: Stitch, tmp_path: Path) -> None:
    layer = cut_into_blocks(tmp_path, bars(), shape=(12, 12, 8), halo=(4, 4, 4), preserve=(1,))
    run_all(Match(layer=layer))
    ran = run("explain", layer, "0,0,0", "20,7,0")
    assert ran.code == 2
    assert "the voxel 0,0,0 is a preserved body: no rule joins it with anything" in ran.err


def test_what_if_counts_the_bodies_that_relabel_would_write(run: Stitch, layer: str) -> None:
    run_all(Match(layer=layer))
    voxels = {}
    said = run("what-if", layer, "--json", "--top", "2")
    assert said.code == 0
    for outcome in json.loads(said.out):
        stitched = stitch(layer, rule=outcome["rule"])
        bodies, counts = np.unique(stitched[stitched > 0], return_counts=True)
        order = np.lexsort((bodies, -counts))
        assert outcome["bodies"] == len(bodies)
        assert outcome["largest"] == counts.max()
        assert outcome["largest_ids"] == bodies[order][:2].tolist()
        assert outcome["largest_sizes"] == counts[order][:2].tolist()
        voxels[outcome["rule"]] = outcome["joins"]
    assert voxels == {"none": 0, "conservative": 2, "medium": 4, "aggressive": 4, "any": 6}


def test_what_if_tries_each_overlap_with_each_rule_that_has_one(run: Stitch, layer: str) -> None:
    run_all(Match(layer=layer))
    before = files_of(layer)
    ran = run("what-if", layer, "--rules", "none,medium,custom", "--min-overlaps", "50,319,320", "--keep-bridges")
    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[0] == ["rule", "min", "overlap", "joins", "bodies", "largest", "half", "is", "in"]
    assert [row[:4] for row in rows[1:]] == [
        ["none", "-", "0", "8"],
        ["medium", "50", "4", "4"],
        ["medium", "319", "2", "6"],
        ["medium", "320", "0", "8"],
        ["custom", "50", "4", "4"],
        ["custom", "319", "2", "6"],
        ["custom", "320", "0", "8"],
    ]
    assert files_of(layer) == before
    refused = run("what-if", layer, "--iou", "0.5")
    assert "are for --rule custom, which is not among --rules" in refused.err
    assert "--rules: name one at least" in run("what-if", layer, "--rules=").err
