"""Which labels have a mesh is held against the table of all labels, by the options of the forge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from meshes.forging import layer_of
from verification.recorded import do_recorded, findings, said, verified

from teravox.pipeline.label_tables.table import LabelTable
from teravox.pipeline.layers.layer import Layer

SMALL, LARGE, ALONE = 3, 70, 2**63 + 9


def make(folder: Path, **options: Any) -> str:  # Any: of the forge
    """A layer of three labels that is counted and meshed, one file a label."""
    volume = np.zeros((48, 40, 32), np.uint64, order="F")
    volume[2:5, 2:5, 2:5] = SMALL
    volume[10:40, 8:30, 6:28] = LARGE
    volume[44, 35, 30] = ALONE
    path = layer_of(folder, volume)
    do_recorded("image count", layer=path)
    do_recorded("mesh forge", layer=path, shape=(48, 40, 32), **options)
    do_recorded("mesh merge", layer=path, format="multires")
    return path


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ({}, set()),
        ({"dust_threshold": 20, "dust_global": True}, {ALONE}),
        ({"dust_threshold": 20}, {ALONE}),
        ({"labels": (LARGE, SMALL)}, {ALONE}),
        ({"exclude_labels": (SMALL,)}, {SMALL}),
    ],
)
def test_labels_that_options_leave_out_are_not_missing(
    tmp_path: Path, options: dict[str, Any], left_out: set[int]
) -> None:
    path = make(tmp_path / "seg", **options)
    assert len(LabelTable.open(Layer.open(path), 0).at_least(1)) == 3
    assert {int(file.stem) for file in Path(path).glob("mesh/*.index")} == {SMALL, LARGE, ALONE} - left_out
    found = verified(path)
    assert found.findings == ()
    assert found.counts["labels held against the table of labels"] == 3


def test_a_label_of_the_table_without_a_mesh_is_named_and_so_is_a_mesh_without_a_label(tmp_path: Path) -> None:
    path = make(tmp_path / "seg")
    for ending in ("", ".index"):
        (Path(path) / f"mesh/{SMALL}{ending}").rename(Path(path) / f"mesh/{SMALL + 1}{ending}")
    for ledger in Path(path).glob("mesh/ledger/*/*.jsonl-gz"):
        ledger.unlink()  # so that nobody knows of the files
    found = said(findings(path, "meshes"))
    assert found == {("missing", f"mesh/{SMALL}.index"), ("unlisted", f"mesh/{SMALL + 1}.index")}
