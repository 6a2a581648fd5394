from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from quality.volumes import cells, cut, score_of
from stitching.make_blocks import cut_into_blocks
from verification.recorded import do_recorded

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.quality.costs import JobCost, cost_of
from teravox.pipeline.quality.label_seams import measure_labels
from teravox.pipeline.quality.planes import label_planes
from teravox.pipeline.quality.seam import PlaneFigure, Seam, seam_score, spread_of_insides
from teravox.pipeline.registry import Registry
from teravox.pipeline.verification.known_jobs import list_jobs

WHOLE = cells(96, 60)


def look(path: str, samples: int = 10_000, seed: int = 0) -> Seam:
    layer = Layer.open(path, fresh=True)
    return measure_labels(layer, label_planes(layer, jobs_of(layer)), samples, seed)


def jobs_of(layer: Layer) -> list[JobCost]:
    return [cost_of(job) for job in list_jobs(layer.store, [], Registry(), [])]


def score_at(path: str) -> float:
    score = look(path).score
    assert score is not None
    return score


def test_labels_that_are_cut_at_borders_score_high_and_whole_ones_about_1(tmp_path: Path) -> None:
    whole = make_layer(tmp_path / "whole", WHOLE, chunk=(32, 32, 32), type="segmentation")
    planted = cut(WHOLE, 32)
    pieces = make_layer(tmp_path / "pieces", planted, chunk=(32, 32, 32), type="segmentation")
    assert score_at(whole) == pytest.approx(score_of(WHOLE, [32, 64], [16, 48, 80]))
    assert 0.7 < score_at(whole) < 1.3
    assert score_at(pieces) == pytest.approx(score_of(planted, [32, 64], [16, 48, 80]))
    assert score_at(pieces) > 4
    assert all(figure.share == 1 for figure in look(pieces).figures if figure.is_border)


def test_one_cut_plane_stands_out_among_the_others(tmp_path: Path) -> None:
    planted = WHOLE.copy(order="F")
    planted[64:] += np.uint64(1000) * (planted[64:] > 0)
    seam = look(make_layer(tmp_path / "seg", planted, chunk=(32, 32, 32), type="segmentation"))
    shares = {(figure.axis, figure.at): figure.share for figure in seam.figures}
    assert shares[0, 64] == 1
    assert max(share for place, share in shares.items() if place != (0, 64)) < 0.5
    assert seam.score is not None and seam.score > 1.3


def test_a_sample_is_seeded_and_says_what_it_is_of(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "seg", cut(WHOLE, 16), chunk=(16, 16, 16), type="segmentation")
    some = look(path, samples=30, seed=5)
    assert some == look(path, samples=30, seed=5)
    assert some.figures != look(path, samples=30, seed=6).figures
    assert some.looked_at == "30 (by chance, seed 5) of 540 patches on 15 borders, each of the size of a chunk"
    assert look(path).looked_at == "all 540 patches on 15 borders, each of the size of a chunk"
    assert some.score is not None and some.score > 3


def test_borders_are_those_of_the_job_that_wrote_the_voxels(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", cut(WHOLE, 48), chunk=(16, 16, 16), type="segmentation")
    copy = str(tmp_path / "copy")
    do_recorded("image transfer", source=source, dest=copy, shape=(48, 48, 48))
    do_recorded("image downsample", layer=copy, num_mips=1, shape=(32, 32, 32))
    seam = look(copy)
    assert {figure.at for figure in seam.figures if figure.is_border} == {48}
    assert {figure.at for figure in seam.figures if not figure.is_border} == {24, 72}
    assert seam.whose.startswith("pieces of the job image transfer (")
    assert seam.score == pytest.approx(score_of(cut(WHOLE, 48), [48], [24, 72]))
    assert score_at(source) < 3 < score_at(copy)


def test_blocks_that_are_not_stitched_show_and_stitched_ones_do_not(tmp_path: Path) -> None:
    blocks = cut_into_blocks(
        tmp_path / "blocks", WHOLE[:64, :64, :64, 0], shape=(32, 32, 32), halo=(8, 8, 8), chunk=(16, 16, 16)
    )
    scores = {}
    for rule in ("none", "medium"):
        dest = str(tmp_path / rule)
        do_recorded("stitch match", layer=blocks)
        for step in (1, 2):
            do_recorded("stitch resolve", layer=blocks, rule=rule, step=step)
        do_recorded("stitch relabel", layer=blocks, rule=rule, dest=dest)
        scores[rule] = score_at(dest)
        assert look(dest).whose.startswith("pieces of the job stitch relabel (")
    assert scores["none"] > 3
    assert scores["medium"] == pytest.approx(score_of(WHOLE[:64, :64, :64], [32], [16, 48]))
    assert scores["medium"] < 1.4


def test_a_volume_in_one_piece_has_no_borders(tmp_path: Path) -> None:
    layer = Layer.open(make_layer(tmp_path / "seg", WHOLE[:32, :32, :32], chunk=(32, 32, 32), type="segmentation"))
    assert label_planes(layer, []).number == 0


def test_what_was_written_in_one_piece_is_looked_at_between_its_chunks(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", WHOLE[:64, :64, :64], chunk=(32, 32, 32), type="segmentation")
    copy = str(tmp_path / "copy")
    do_recorded("image transfer", source=source, dest=copy)
    planes = label_planes(Layer.open(copy), jobs_of(Layer.open(copy)))
    assert planes.borders == ((32,), (32,), (32,))
    assert planes.whose.startswith("chunks, as image transfer (")
    assert planes.whose.endswith(") has written everything in one piece")


def test_a_copy_that_was_moved_is_looked_at_where_it_is_now(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", WHOLE[:64, :64, :64], chunk=(16, 16, 16), type="segmentation")
    copy = str(tmp_path / "copy")
    do_recorded("image transfer", source=source, dest=copy, shape=(32, 32, 32), translate=(1000, 0, 0))
    layer = Layer.open(copy)
    for planes in label_planes(layer, jobs_of(layer)).borders:
        assert planes
    bounds = layer.bounds(0)
    borders = label_planes(layer, jobs_of(layer)).borders
    assert all(low < at < high for low, high, some in zip(bounds.min, bounds.max, borders, strict=True) for at in some)


def figures(*said: tuple[int, int, bool, int, int]) -> list[PlaneFigure]:
    return [PlaneFigure(*one) for one in said]


def test_a_score_is_what_was_found_for_each_that_was_to_be_expected() -> None:
    assert seam_score(figures((0, 16, False, 10, 100), (0, 32, True, 30, 100), (0, 48, False, 10, 100))) == 3
    assert seam_score(figures((0, 16, False, 10, 100), (0, 32, True, 30, 100), (0, 48, False, 0, 0))) == 3
    assert seam_score(figures((0, 16, False, 0, 100), (0, 32, True, 0, 100))) == 1
    assert seam_score(figures((0, 16, False, 0, 100), (0, 32, True, 1, 100))) == math.inf
    assert seam_score(figures((0, 16, True, 1, 100), (1, 32, False, 1, 100))) is None
    assert seam_score([]) is None


def test_axes_are_compared_with_themselves_only() -> None:
    thick = figures((0, 8, False, 10, 100), (0, 16, True, 10, 100), (2, 8, False, 90, 100), (2, 16, True, 900, 1000))
    assert seam_score(thick) == pytest.approx(1)


def test_a_border_is_held_against_what_is_beside_it_and_not_far_away() -> None:
    steep = [(0, 10 * at, at % 2 == 0, at * at, 1000) for at in range(1, 30)]
    assert seam_score(figures(*steep)) == pytest.approx(1, abs=0.01)


def test_the_spread_of_planes_inside_of_pieces_says_what_chance_does() -> None:
    insides = [(0, at, False, hits, 100) for at, hits in ((8, 10), (24, 30), (40, 20), (56, 20))]
    assert spread_of_insides(figures(*insides, (0, 16, True, 99, 100))) == pytest.approx((20 / 25, 30 / 15))
    assert spread_of_insides(figures(*insides[:2])) is None
