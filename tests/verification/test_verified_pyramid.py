"""Mips against those they were made of: sound ones are, in every way of making them, and others are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import make_layer, voxels
from verification.recorded import do_recorded, findings, said, verified
from verification.repairing import Kept, contents, damage, repair, swap

from teravox.pipeline.layers.layer import Layer


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    size=st.tuples(*[st.integers(2, 40)] * 3),
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    factor=st.sampled_from([(2, 2, 1), (2, 2, 2), (3, 2, 1)]),
    method=st.sampled_from(["average", "mode", "min", "max", "stride"]),
    dtype=st.sampled_from(["uint8", "uint32", "uint64", "float32", "int16"]),
    sparse=st.booleans(),
    is_copied=st.booleans(),
)
def test_whatever_we_make_is_what_we_say_it_is_made_of(
    tmp_path_factory: pytest.TempPathFactory, size: Any, offset: Any, factor: Any, method: str, dtype: str, sparse: bool, is_copied: bool
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("pyramid")
    path = make_layer(folder / "src", voxels(size, dtype), chunk=(16, 16, 8), offset=offset)
    options: dict[str, Any] = {"factor": factor, "method": method, "sparse": sparse and method in ("average", "mode")}
    if is_copied:
        layer = str(folder / "layer")
        do_recorded("image transfer", source=path, dest=layer, num_mips=1, **options)
    else:
        layer = path
        do_recorded("image downsample", layer=path, num_mips=1, **options)
    found = verified(layer, "pyramid")
    assert found.findings == ()
    assert found.counts["places of mips made anew"] > 0


@pytest.mark.parametrize("encoding", ["jpeg", "jxl"])
def test_encodings_that_lose_something_may_lose_it_and_no_more(tmp_path: Path, encoding: str) -> None:
    layer = tmp_path / "layer"
    make_layer(layer, voxels((64, 48, 16), "uint8"), chunk=(16, 16, 8), encoding=encoding, compress=False)
    do_recorded("image downsample", layer=str(layer), num_mips=2)
    assert findings(str(layer), "pyramid") == []
    swap(layer, "8_8_40/0-16_0-16_0-8", "8_8_40/16-32_0-16_0-8")
    assert {key for _, key in said(findings(str(layer), "pyramid"))} >= {
        "8_8_40/0-16_0-16_0-8",
        "8_8_40/16-32_0-16_0-8",
    }


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Labels and three mips of two passes, of which mip 0 has no job."""
    folder = tmp_path_factory.mktemp("pyramid")
    layer = make_layer(folder / "layer", voxels((64, 64, 8), "uint32", labels=90), type="segmentation", compress=False)
    do_recorded("image downsample", layer=layer, num_mips=2, compress="none", shape=(32, 32, 8))
    do_recorded("image downsample", layer=layer, mip=2, num_mips=1, compress="none")
    return Kept(Path(layer))


def test_a_mip_that_somebody_has_written_over_is_wrong_and_is_made_again(kept: Kept) -> None:
    layer = kept.put_back()
    opened = Layer.open(str(layer), fresh=True)
    box = opened.bounds(1)
    opened.write(box, 1, opened.read(box, 1)[::-1].copy(order="F"), compress=None)
    found = findings(str(layer), "pyramid")
    assert {finding.what for finding in found} == {"changed"}  # raw chunks keep their size
    assert {finding.key.partition("/")[0] for finding in found} == {"8_8_40"}
    repaired = repair(str(layer))
    assert (repaired.verified.is_sound, repaired.tasks) == (True, 4)  # pieces, each of which writes two mips
    assert contents(layer) == kept.contents


def test_the_mips_of_a_layer_that_was_changed_below_them_are_wrong(kept: Kept) -> None:
    layer = kept.put_back()
    opened = Layer.open(str(layer), fresh=True)
    box = opened.bounds(0)
    opened.write(box, 0, np.full((*box.size, 1), 7, np.uint32, order="F"), compress=None)
    found = findings(str(layer), "pyramid")
    assert {finding.what for finding in found} == {"wrong"}
    assert {finding.key.partition("/")[0] for finding in found} == {"8_8_40", "16_16_40"}
    repaired = repair(str(layer))
    assert repaired.verified.is_sound  # which takes two rounds: mip 3 is wrong only when mip 2 is right
    assert (Layer.open(str(layer)).read(Layer.open(str(layer)).bounds(3), 3) == 7).all()


def test_only_what_is_asked_for_is_made_anew(kept: Kept) -> None:
    layer = str(kept.put_back())
    few, more = verified(layer, "pyramid", sample=3), verified(layer, "pyramid", sample=3)
    assert few == more
    assert few.counts["places of mips made anew"] == 3 + 3 + 1
    assert verified(layer, "pyramid").counts["places of mips made anew"] == 16 + 4 + 1


def test_mips_that_others_have_made_need_only_be_possible(tmp_path: Path) -> None:
    """CloudVolume's and Igneous' kernels take other labels where several are equally frequent, and other roundings."""
    from tinybrain import downsample_segmentation, downsample_with_averaging

    for type, make in (("segmentation", downsample_segmentation), ("image", downsample_with_averaging)):
        array = voxels((64, 64, 8), "uint8", labels=50)
        layer = Path(make_layer(tmp_path / type, array, type=type, compress=False))
        do_recorded("image downsample", layer=str(layer), num_mips=1, compress="none")
        opened = Layer.open(str(layer), fresh=True)
        (mip,) = make(array, (2, 2, 1, 1) if type == "segmentation" else (2, 2, 1), num_mips=1)
        opened.write(opened.bounds(1), 1, np.asfortranarray(mip).reshape((32, 32, 8, 1), order="F"), compress=None)
        (layer / "ledger").rename(layer.with_name(f"{type}-ledger"))
        assert findings(str(layer)) == []
        swap(layer, "8_8_40/0-8_0-8_0-8", "8_8_40/24-32_16-24_0-8")
        assert said(findings(str(layer))) == {
            ("wrong", "8_8_40/0-8_0-8_0-8"),
            ("wrong", "8_8_40/24-32_16-24_0-8"),
        }


def test_a_place_below_which_something_is_missing_is_passed_over_and_told(kept: Kept) -> None:
    layer = kept.put_back()
    damage(layer, "4_4_40/0-8_0-8_0-8", "delete", 0)
    found = verified(str(layer), "pyramid")
    assert found.findings == ()
    assert found.counts["not checked: places whose chunks are not there or cannot be read"] == 2
