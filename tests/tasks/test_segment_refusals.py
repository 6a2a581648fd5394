"""What `segment` refuses: options that cannot be meant, before anything is queued; and what steps return, with their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.make import make_layer
from segmentation.segmenting import OWN, image, own, run

from teravox.pipeline.allowed import allow_only
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage, TeravoxError
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.segmentation.steps import Step
from teravox.tasks.segment import Segment

STEPS: dict[str, Any] = {"predict": own("darkness"), "supervoxels": own("pieces"), "agglomerate": ()}


@pytest.fixture
def job(tmp_path: Path) -> Segment:
    source = image(tmp_path / "em", (9, 8, 7))
    return Segment(source=source, dest=str(tmp_path / "seg"), **STEPS)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"predict": own("none_at_all")}, "none_at_all (predict) broke its contract at the block 0,0,0:9,8,7: it returned NoneType, and no array"),
        ({"predict": own("doubles")}, "numbers of type float64, which must be float32"),
        ({"predict": own("flat")}, "an array of shape (7, 8, 9), which must be (7, 8, 9, 1)"),
        ({"predict": own("not_numbers")}, "values that are no numbers (NaN)"),
        ({"predict": own("percents")}, "values from 100 to 100, which must lie in 0 to 1"),
        ({"predict": own("writes_into_the_image")}, "assignment destination is read-only"),
        ({"predict": own("raises")}, "raises (predict) failed at the block 0,0,0:9,8,7: RuntimeError: no such device"),
        ({"predict": own("two_classes"), "supervoxels": own("longs")}, "numbers of type int64, which must be uint32"),
        ({"agglomerate": (own("invents"),)}, "which is that of no supervoxel"),
        ({"agglomerate": (own("fills"),)}, "voxels that belong to no supervoxel, where there must be 0"),
    ],
)  # fmt: skip
def test_a_step_that_breaks_the_contract_is_named_with_the_block(
    job: Segment, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TeravoxError) as refused:
        run(msgspec.structs.replace(job, **change))
    assert sentence in str(refused.value)
    assert not list(Path(job.dest).rglob("cores/*"))


def test_labels_outside_the_mask_are_refused(job: Segment, tmp_path: Path) -> None:
    (tmp_path / "roi.txt").write_text("0,0,0:3,8,7")
    roi = KnownFile.at(str(tmp_path / "roi.txt"))
    with pytest.raises(BadInput, match="labels in 336 voxels outside the mask"):
        run(msgspec.structs.replace(job, roi=roi, supervoxels=own("bleeds")))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"predict": Step("membran")}, "--predict: there is no step 'membran'; did you mean membrane?"),
        ({"supervoxels": Step("xyzzy")}, "--supervoxels: there is no step 'xyzzy'; there are components, "),
        ({"predict": Step("../x")}, "--predict: '../x' is neither the name of a built-in step nor module:function"),
        ({"predict": Step("os:system")}, "teravox --plugin os"),
        ({"predict": Step("segmentation.segmenting:run")}, "runs only where its module is named"),
        ({"predict": own("dark")}, f"{OWN} defines no function 'dark'"),
        ({"predict": own("np")}, f"{OWN} defines no function 'np'"),
        ({"predict": own("_private")}, "is neither the name of a built-in step nor module:function"),
        ({"predict": own("darkness", lo=3)}, "has no parameter 'lo'; did you mean low?"),
        ({"predict": own("darkness", low="black")}, "low of the step segmentation.own_steps:darkness: expected float, got str"),
        ({"predict": own("shell")}, "needs command: it has no default"),
        ({"predict": own("where", corner=3)}, "has no parameter 'corner'"),
        ({"halo": (-1, 0, 0)}, "--halo: expected three numbers from 0 up, got -1,0,0"),
        ({"shape": (6, 8, 8)}, "--shape: expected multiples of the chunks of DEST, 4,4,4, got 6,8,8"),
        ({"shape": (0, 8, 8)}, "--shape: expected three numbers from 1 up"),
        ({"chunk_size": (0, 8, 8)}, "--chunk-size: expected three numbers from 1 up"),
        ({"memory_limit": 400_000_000}, "--memory: a block of 4,4,4 voxels with its halo needs"),
        ({"bounds": Box((50, 0, 0), (60, 8, 7))}, "--bounds: 50,0,0:60,8,7 lies outside of mip 0"),
        ({"roi_mip": 1}, "--roi-mip: means nothing without a layer in --roi"),
        ({"preserve": "./x"}, "--preserve: say which of its bodies with --preserve-ids FILE"),
        ({"encoding": "raw"}, "--encoding: means nothing with --output labels"),
        ({"data_type": "float32"}, "--data-type: means nothing without --output probabilities"),
        ({"output": "classes"}, "--supervoxels: means nothing with --output classes"),
        ({"output": "classes", "supervoxels": None, "agglomerate": None, "keep": "supervoxels"}, "--keep: means nothing"),
        ({"output": "classes", "supervoxels": None, "agglomerate": None, "encoding": "jxl"}, "--encoding: jxl may change"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_refused_before_anything_is_written(
    job: Segment, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadUsage) as refused:
        msgspec.structs.replace(job, **change).prepare()
    assert sentence in str(refused.value)
    assert not Path(job.dest).exists()


def test_a_destination_that_is_read_is_refused(job: Segment, tmp_path: Path) -> None:
    labels = make_layer(tmp_path / "old", np.ones((9, 8, 7, 1), np.uint32), type="segmentation")
    (tmp_path / "ids").write_text("1")
    ids = KnownFile.at(str(tmp_path / "ids"))
    for change in (
        {"dest": job.source},
        {"dest": labels, "roi": labels},
        {"dest": labels, "preserve": labels, "preserve_ids": ids},
    ):
        with pytest.raises(BadUsage, match="never written to"):
            msgspec.structs.replace(job, **change).prepare()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no box with anything in it"),
        ("5,5,5:5,9,9", "has no box with anything in it"),
        ("0,0,0:9,9", "line 1 of .* is no box like 0,0,0:512,512,64"),
        ("[[0,0,0,1],[0,0,0,1,1,1]]", "runs .* only, or boxes .* only"),
        ("[{}]", "is no list of DVID's runs"),
        ("100,100,100:110,110,110", "nothing of it lies within"),
    ],
)
def test_a_file_that_is_no_region_is_refused(job: Segment, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "roi").write_text(text)
    with pytest.raises(BadUsage, match=f"--roi: .*{sentence}"):
        msgspec.structs.replace(job, roi=KnownFile.at(str(tmp_path / "roi"))).prepare()


@pytest.mark.parametrize(
    ("text", "word"), [("1 2 x", "'x'"), ("-3", "'-3'"), ("0", "'0'"), ("9" * 19, "9"), ("", "no ids")]
)
def test_a_file_that_holds_no_ids_is_refused(job: Segment, tmp_path: Path, text: str, word: str) -> None:
    layer = make_layer(tmp_path / "old", np.ones((9, 8, 7, 1), np.uint32), type="segmentation")
    (tmp_path / "ids").write_text(text)
    wish = msgspec.structs.replace(job, preserve=layer, preserve_ids=KnownFile.at(str(tmp_path / "ids")))
    with pytest.raises(BadUsage, match=f"--preserve-ids: .*{word}"):
        wish.prepare()


def test_preserved_bodies_of_another_voxel_size_are_refused(job: Segment, tmp_path: Path) -> None:
    layer = make_layer(tmp_path / "old", np.ones((9, 8, 7, 1), np.uint32), type="segmentation", resolution=(8, 8, 40))
    (tmp_path / "ids").write_text("1")
    wish = msgspec.structs.replace(job, preserve=layer, preserve_ids=KnownFile.at(str(tmp_path / "ids")))
    with pytest.raises(BadUsage, match=r"--preserve: .* has no mip with voxels of"):
        wish.prepare()


def test_a_mask_that_has_changed_since_is_noticed(job: Segment, tmp_path: Path) -> None:
    mask = np.zeros((9, 8, 7, 1), np.uint8)
    mask[:4] = 1
    layer = make_layer(tmp_path / "mask", mask, chunk=(4, 4, 4))
    wish = msgspec.structs.replace(job, roi=layer, shape=(4, 4, 4))
    wish.prepare()
    wish.prepare()
    mask[:] = 1
    make_layer(tmp_path / "mask", mask, chunk=(4, 4, 4))
    with pytest.raises(BadUsage, match="is another plan for the same options"):
        wish.prepare()


def test_places_that_steps_read_are_held_to_what_the_operator_allows(job: Segment, tmp_path: Path) -> None:
    wish = msgspec.structs.replace(job, predict=Step("layer", {"path": "/elsewhere/p"}))
    allow_only((str(tmp_path),))
    try:
        with pytest.raises(BadUsage, match=r"path of the step layer is .*elsewhere.*outside what --allow names"):
            wish.prepare()
    finally:
        allow_only(())
