"""The kinds of stitching: what they refuse, what they need, and what they leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.make import files_of, make_layer, voxels
from stitching.make_blocks import cut_into_blocks, run_all, stitch

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.storage.open import open_store
from teravox.tasks.stitch.match import Match
from teravox.tasks.stitch.relabel import Relabel
from teravox.tasks.stitch.resolve import Resolve

WHOLE = voxels((14, 10, 6), "uint32", labels=4)[..., 0]


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return cut_into_blocks(tmp_path / "seg", WHOLE, shape=(6, 5, 6), halo=(2, 1, 1))


def resolve_all(layer: str, **options: Any) -> None:
    for step in range(1, Resolve(layer=layer, **options).steps + 1):
        run_all(Resolve(layer=layer, step=step, **options))


def jobs(layer: str, **options: Any) -> list[AnyJob]:
    return [
        Match(layer=layer),
        *(Resolve(layer=layer, step=step, **options) for step in range(1, Resolve(layer=layer, **options).steps + 1)),
        Relabel(layer=layer, **options),
    ]


def test_every_piece_leaves_what_it_says_and_a_second_run_changes_no_byte(layer: str) -> None:
    for job in jobs(layer, group=(2, 2, 2)):
        job.prepare()
        for piece in job.pieces():
            before = set(files_of(layer))
            job.run(piece)
            once = files_of(layer)
            left = {key for key in set(once) - before if not key.endswith(".gz")}
            left |= {key.removesuffix(".gz") for key in set(once) - before if key.endswith(".gz")}
            assert left <= set(job.outputs(piece))
            job.run(piece)
            assert files_of(layer) == once
        assert not (set(job.outputs(job.pieces()[0])) - {key.removesuffix(".gz") for key in files_of(layer)})
        job.finish()


def test_only_what_stitching_writes_changes(layer: str) -> None:
    before = files_of(layer)
    stitch(layer)
    after = files_of(layer)
    assert {key: after[key] for key in before} == before
    assert {key.split("/")[0] for key in set(after) - set(before)} == {"stitch", "info", "provenance", "4_4_40"}


def test_blocks_without_a_halo_are_refused(tmp_path: Path) -> None:
    layer = cut_into_blocks(tmp_path, WHOLE, shape=(6, 5, 6), halo=(0, 0, 3))
    with pytest.raises(BadUsage, match=r"have a halo of .0, 0, 3., so no two of them have seen the same.*--halo"):
        Match(layer=layer).prepare()


def test_one_block_alone_needs_no_halo(tmp_path: Path) -> None:
    layer = cut_into_blocks(tmp_path, WHOLE, shape=(14, 10, 6), halo=(0, 0, 0))
    segmented = Segmented.open(layer)
    np.testing.assert_array_equal(stitch(layer), segmented.core(0))


def test_a_layer_that_was_not_segmented_is_refused(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "em", voxels((8, 8, 8), "uint8"))
    with pytest.raises(BadUsage, match="holds no finished blocks: first run `teravox segment`"):
        Match(layer=source).prepare()


def test_blocks_that_are_not_all_there_are_refused(layer: str) -> None:
    (Path(layer) / "blocks/one/cores/3").unlink()
    with pytest.raises(BadUsage, match="holds 5 of 6 blocks: first run `teravox segment` to its end"):
        Match(layer=layer).prepare()


def test_a_stage_is_refused_before_the_one_before_is_done(layer: str) -> None:
    with pytest.raises(BadUsage, match="0 of 6 files: first run `teravox stitch match`"):
        Resolve(layer=layer).prepare()
    run_all(Match(layer=layer))
    with pytest.raises(BadUsage, match="0 of 6 files: first run `teravox stitch resolve --step 1`"):
        Resolve(layer=layer, step=2).prepare()
    with pytest.raises(BadUsage, match="0 of 6 files: first run `teravox stitch resolve --step 1`"):
        Relabel(layer=layer).prepare()
    run_all(Resolve(layer=layer))
    with pytest.raises(BadUsage, match="0 of 6 files: first run `teravox stitch resolve` to its end"):
        Relabel(layer=layer).prepare()
    resolve_all(layer)
    Relabel(layer=layer).prepare()
    with pytest.raises(BadUsage, match="0 of 6 files"):
        Relabel(layer=layer, rule="aggressive", overwrite=True).prepare()


def test_there_are_as_many_steps_as_it_says(layer: str) -> None:
    run_all(Match(layer=layer))
    first = Resolve(layer=layer, group=(2, 2, 2))
    assert first.report() == "This was step 1 of 4; go on with --step 2."
    with pytest.raises(BadUsage, match="--step: 4 are enough for these blocks, got 5"):
        Resolve(layer=layer, step=5, group=(2, 2, 2)).prepare()
    with pytest.raises(BadUsage, match="--group: expected numbers from 2 up"):
        Resolve(layer=layer, group=(1, 2, 2)).prepare()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rule": "none", "min_overlap": 3}, "--min-overlap: means nothing with --rule none"),
        ({"rule": "any", "min_overlap": 3}, "--min-overlap: means nothing with --rule any"),
        ({"rule": "any", "keep_bridges": True}, "--keep-bridges: means nothing with --rule any"),
        ({"iou": 0.5}, "--iou: means nothing with --rule medium; it is for custom"),
        ({"min_fraction": 0.5}, "--min-fraction: means nothing"),
        ({"rule": "aggressive", "min_large": 5}, "--min-large: means nothing"),
        ({"rule": "none", "plane": True}, "--plane: means nothing with --rule none"),
    ],
)
def test_an_option_that_means_nothing_to_the_rule_is_refused(layer: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadUsage, match=said):
        Resolve(layer=layer, **options).prepare()
    with pytest.raises(BadUsage, match=said):
        Relabel(layer=layer, **options).check_destination()


def test_the_image_is_never_written_to(tmp_path: Path, layer: str) -> None:
    Path(tmp_path / "elsewhere").symlink_to("/em")
    with pytest.raises(BadUsage, match="sources are never written to"):
        Relabel(layer=layer, dest=str(tmp_path / "elsewhere")).check_destination()


def test_another_layer_in_the_way_is_refused_before_anything_is_done(tmp_path: Path, layer: str) -> None:
    other = make_layer(tmp_path / "other", voxels((8, 8, 8), "uint32", labels=3), type="segmentation")
    numbered = str(tmp_path / "numbered")
    stitch(layer, dest=numbered, consecutive=True)
    with pytest.raises(BadUsage, match="is a layer already, and differs: data_type uint32, not uint64"):
        Relabel(layer=layer, dest=numbered).check_destination()
    with pytest.raises(BadUsage, match="has a scale 4_4_40 already, and it differs"):
        Relabel(layer=layer, dest=other, consecutive=True).check_destination()


def test_too_little_memory_is_refused_with_a_remedy(layer: str) -> None:
    small = 380_000_000
    run_all(Match(layer=layer))
    resolve_all(layer)
    allowed = Match(layer=layer).memory(Match(layer=layer).pieces()[0])
    with pytest.raises(BadUsage, match=r"--memory: a task needs .* segment smaller blocks"):
        Match(layer=layer, memory_limit=allowed - small).prepare()
    with pytest.raises(BadUsage, match=r"--memory: a task needs .* smaller --group"):
        Resolve(layer=layer, step=2, memory_limit=1).prepare()
    with pytest.raises(BadUsage, match=r"--memory: a task needs .* segment smaller blocks"):
        Relabel(layer=layer, memory_limit=1).prepare()


def test_a_damaged_table_is_an_error_that_says_what_to_run(layer: str) -> None:
    run_all(Match(layer=layer))
    table = Path(layer) / "stitch/one/overlaps/1"
    data = bytearray(table.read_bytes())
    data[-1] ^= 1
    table.write_bytes(data)
    job = Resolve(layer=layer)
    with pytest.raises(BadInput, match=r"overlaps/1 cannot be read: .* damaged; run `teravox stitch match` again"):
        job.run(job.pieces()[1])


def test_a_piece_that_is_no_block_is_refused(layer: str) -> None:
    with pytest.raises(ValueError, match="is no block"):
        Match(layer=layer).run(Box((1, 0, 0), (7, 5, 6)))


def test_the_blocks_can_be_named(tmp_path: Path) -> None:
    first = cut_into_blocks(tmp_path, WHOLE, shape=(6, 5, 6), halo=(2, 1, 1), id="first")
    cut_into_blocks(tmp_path, np.ones_like(WHOLE), shape=(7, 5, 6), halo=(2, 1, 1), id="second")
    assert Match(layer=first).segmented().id == "second"
    run_all(Match(layer=first, blocks="first"))
    assert {key.split("/")[1] for key in files_of(first) if key.startswith("stitch/")} == {"first"}


def test_what_the_ledger_says_of_a_rule_is_forgotten_when_another_one_writes(layer: str) -> None:
    run_all(Match(layer=layer))
    resolve_all(layer)
    resolve_all(layer, rule="any")
    first, second = (Relabel(layer=layer, overwrite=True, rule=rule) for rule in ("medium", "any"))
    ledger = Ledger(open_store(layer), job_id("stitch relabel", first))
    ledger.open("stitch relabel", first, 6, "")
    first.prepare()
    assert ledger.job() is not None
    second.prepare()
    first.prepare()
    assert ledger.job() is None
